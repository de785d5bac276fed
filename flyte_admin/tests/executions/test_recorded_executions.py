"""Events that upstream's propeller sent to upstream's admin, replayed: what is read afterwards is the same."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.admin.common_pb2 import ResourceListRequest
from flyteidl.admin.execution_pb2 import (
    Execution,
    ExecutionCreateRequest,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetDataResponse,
    WorkflowExecutionGetMetricsRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.node_execution_pb2 import (
    NodeExecution,
    NodeExecutionGetDataRequest,
    NodeExecutionGetDataResponse,
    NodeExecutionGetRequest,
    NodeExecutionList,
    NodeExecutionListRequest,
)
from flyteidl.admin.task_execution_pb2 import TaskExecutionList, TaskExecutionListRequest
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from flyte_admin.executions.metrics import MetricsReader
from flyte_core.events import Verdict

RUNS = [
    "single",
    "chain",
    "with_failure_node",
    "branch",
    "parent_sub",
    "parent_dyn",
    "parent_map",
    "parent_lp",
    "gates",
]


async def replay(plane: Any, recorded: Any, *, batch: int) -> WorkflowExecutionIdentifier:
    """Create the execution as recorded, and report its events in batches."""
    request = ParseDict(recorded.json("create-request"), ExecutionCreateRequest())
    created = await plane.executions.create(request)
    pending: list[Any] = []
    events = iter(recorded.events())

    async def send() -> None:
        outcomes = await plane.recorder.record(pending)
        assert [outcome.message for outcome in outcomes] == [""] * len(pending)
        pending.clear()

    for method, call, _ in recorded.calls():
        if method.endswith("Event"):
            pending.append(next(events))
        if len(pending) >= batch or method == "CreateExecution":
            await send()
        if method == "CreateExecution" and call["name"] != request.name:
            child = ParseDict(call, ExecutionCreateRequest())
            await plane.executions.create(child)
    await send()
    return created.id


@pytest.fixture(params=RUNS)
async def replayed(request: pytest.FixtureRequest, control_plane: Any, recording: Any) -> Any:
    recorded = recording(request.param)
    execution = await replay(control_plane, recorded, batch=3)
    return control_plane, recorded, execution


def lines(message: Message) -> list[str]:
    """A message as text: equal texts are equal messages, and a difference can be read."""
    return str(message).splitlines()


def with_times_of(found: Execution, wanted: Execution) -> Execution:
    """The server's own clock made these two."""
    found.closure.created_at.CopyFrom(wanted.closure.created_at)
    found.closure.state_change_details.occurred_at.CopyFrom(wanted.closure.state_change_details.occurred_at)
    return found


async def test_what_is_read_is_what_upstream_answered(replayed: Any) -> None:
    plane, recorded, execution = replayed
    wanted = ParseDict(recorded.json("rest-execution"), Execution())
    found = await plane.reader.get(WorkflowExecutionGetRequest(id=execution))
    assert lines(with_times_of(found, wanted)) == lines(wanted)
    await check_lists(plane, recorded, execution)
    await check_tasks(plane, recorded, execution)
    await check_data(plane, recorded, execution)


async def check_lists(plane: Any, recorded: Any, execution: WorkflowExecutionIdentifier) -> None:
    for file in sorted(recorded.folder.glob("rest-node-executions*.json")):
        if file.stem == "rest-node-executions-by-id":
            continue
        parent = file.stem.removeprefix("rest-node-executions").removeprefix("-under-")
        wanted = ParseDict(recorded.json(file.stem), NodeExecutionList())
        request = NodeExecutionListRequest(workflow_execution_id=execution, limit=100, unique_parent_id=parent)
        assert lines(in_order(await plane.nodes.list(request))) == lines(in_order(wanted))


def in_order(nodes: NodeExecutionList) -> NodeExecutionList:
    """Upstream's order without ``sort_by`` is its database's whim; the recording has shortened paths in messages."""
    for node in nodes.node_executions:
        if node.closure.HasField("error"):
            node.closure.error.message = node.closure.error.message[:80]
    return NodeExecutionList(
        node_executions=sorted(nodes.node_executions, key=lambda n: n.id.node_id), token=nodes.token
    )


async def check_tasks(plane: Any, recorded: Any, execution: WorkflowExecutionIdentifier) -> None:
    for node_id, listing in recorded.json("rest-task-executions").items():
        wanted = ParseDict(listing, TaskExecutionList())
        node = NodeExecutionIdentifier(execution_id=execution, node_id=node_id)
        found = await plane.tasks.list(TaskExecutionListRequest(node_execution_id=node, limit=100))
        assert lines(in_microseconds(found)) == lines(in_microseconds(wanted))


def in_microseconds(tasks: TaskExecutionList) -> TaskExecutionList:
    """Upstream shows the start from its database after a second RUNNING event, from the event after the first."""
    for task in tasks.task_executions:
        task.closure.started_at.nanos -= task.closure.started_at.nanos % 1000
    return tasks


async def check_data(plane: Any, recorded: Any, execution: WorkflowExecutionIdentifier) -> None:
    """The data themselves are the data plane's; put where the events say that they are, they are found."""
    documents = recorded.json("rest-node-executions-by-id")
    nodes = {key: ParseDict(value, NodeExecution()) for key, value in documents.items() if "#" not in key}
    answers = {key: ParseDict(documents[f"{key}#data"], NodeExecutionGetDataResponse()) for key in nodes}
    for key, node in nodes.items():
        await put(plane, node.input_uri, answers[key].full_inputs)
        await put(plane, node.closure.output_uri, answers[key].full_outputs)
    for key, node in nodes.items():
        found = await plane.nodes.get_data(NodeExecutionGetDataRequest(id=node.id))
        assert lines(found) == lines(answers[key])
    wanted = ParseDict(recorded.json("rest-execution-data"), WorkflowExecutionGetDataResponse())
    stored = await plane.reader.get(WorkflowExecutionGetRequest(id=execution))
    await put(plane, stored.closure.outputs.uri, wanted.full_outputs)
    found = await plane.reader.get_data(WorkflowExecutionGetDataRequest(id=execution))
    assert lines(found) == lines(wanted)


async def put(plane: Any, uri: str, literals: LiteralMap) -> None:
    if uri:
        await plane.store.write(uri, literals.SerializeToString())


async def test_a_single_node_shows_its_whole_error_and_a_list_its_beginning(control_plane: Any, recording: Any) -> None:
    execution = await replay(control_plane, recording("with_failure_node"), batch=100)
    node = NodeExecutionIdentifier(execution_id=execution, node_id="n0")
    found = await control_plane.nodes.get(NodeExecutionGetRequest(id=node))
    assert found.closure.error.message.endswith("ValueError: boom 6")
    listed = await control_plane.reader.list(
        ResourceListRequest(id={"project": "golden", "domain": "development"}, limit=10)
    )
    assert len(listed.executions[0].closure.error.message) == 100


async def test_all_events_sent_again_change_nothing(control_plane: Any, recording: Any) -> None:
    recorded = recording("parent_sub")
    execution = await replay(control_plane, recorded, batch=100)
    before = await snapshot(control_plane, execution)
    for event in recorded.events():
        (outcome,) = await control_plane.recorder.record([event])
        assert outcome.verdict is not Verdict.RECORDED
    assert await snapshot(control_plane, execution) == before


async def snapshot(plane: Any, execution: WorkflowExecutionIdentifier) -> list[Any]:
    found: list[Any] = [await plane.reader.get(WorkflowExecutionGetRequest(id=execution))]
    for parent in ("", "n0"):
        request = NodeExecutionListRequest(workflow_execution_id=execution, limit=100, unique_parent_id=parent)
        nodes = await plane.nodes.list(request)
        found.append(nodes)
        for node in nodes.node_executions:
            found.append(await plane.tasks.list(TaskExecutionListRequest(node_execution_id=node.id, limit=100)))
    return found


async def test_the_spans_of_an_execution_nest_and_name_where_the_time_went(control_plane: Any, recording: Any) -> None:
    execution = await replay(control_plane, recording("parent_sub"), batch=100)
    metrics = MetricsReader(control_plane.database)
    whole = (await metrics.get(WorkflowExecutionGetMetricsRequest(id=execution, depth=-1))).span
    assert whole.workflow_id == execution
    assert [span.operation_id or span.node_id.node_id for span in whole.spans] == [
        "WORKFLOW_SETUP", "start-node", "n0", "n1", "end-node", "WORKFLOW_TEARDOWN",
    ]  # fmt: skip
    n0 = whole.spans[2]
    inner = next(span for span in n0.spans if span.node_id.node_id == "n0-0-n0")
    task = next(span for span in inner.spans if span.HasField("task_id"))
    assert [span.operation_id for span in task.spans] == ["TASK_SETUP", "TASK_RUNTIME", "TASK_TEARDOWN"]
    assert not (await metrics.get(WorkflowExecutionGetMetricsRequest(id=execution))).span.spans


async def test_a_child_execution_reads_as_upstreams(control_plane: Any, recording: Any) -> None:
    recorded = recording("parent_lp")
    await replay(control_plane, recorded, batch=100)
    answers = [response for method, _, response in recorded.calls() if method == "GetExecution"]
    wanted = ParseDict(answers[-1], Execution())
    found = await control_plane.reader.get(WorkflowExecutionGetRequest(id=wanted.id))
    assert lines(with_times_of(found, wanted)) == lines(wanted)
    assert found.spec.metadata.nesting == 1
