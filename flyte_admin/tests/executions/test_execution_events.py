"""Events taken and refused: order of the checks, codes and details as upstream's, forward moves only."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import Any

import pytest
from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    TaskExecutionEventRequest,
    WorkflowExecutionEventRequest,
)
from flyteidl.admin.execution_pb2 import (
    ExecutionTerminateRequest,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.node_execution_pb2 import GetDynamicNodeWorkflowRequest, NodeExecutionGetRequest
from flyteidl.admin.task_execution_pb2 import TaskExecutionGetRequest
from flyteidl.core.compiler_pb2 import CompiledWorkflow, CompiledWorkflowClosure
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, TaskLog, WorkflowExecution
from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    ResourceType,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.workflow_pb2 import WorkflowTemplate
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_admin.executions.event_delivery import EventDelivery
from flyte_admin.executions.events import EventRecorder
from flyte_admin.executions.offload import Offloader
from flyte_admin.executions.refusals import AlreadyTerminal, ForeignCluster
from flyte_core.clock import SystemClock
from flyte_core.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound, TooLarge
from flyte_core.events import Verdict
from flyte_core.testing.fakes import RecordingSink

NAME = "run"
EXECUTION = WorkflowExecutionIdentifier(project="golden", domain="development", name=NAME)
NODE = NodeExecutionIdentifier(execution_id=EXECUTION, node_id="n0")
TASK = Identifier(
    resource_type=ResourceType.TASK, project="golden", domain="development", name="golden_wf.double", version="v1"
)
_seconds = itertools.count(1_700_000_000)


def workflow_event(name: str, /, **fields: Any) -> WorkflowExecutionEventRequest:
    event = {"execution_id": EXECUTION, "producer_id": "propeller", "occurred_at": Timestamp(seconds=next(_seconds))}
    return WorkflowExecutionEventRequest(event={**event, "phase": WorkflowExecution.Phase.Value(name), **fields})


def node_event(phase: str, **fields: Any) -> NodeExecutionEventRequest:
    event = {"id": NODE, "producer_id": "propeller", "occurred_at": Timestamp(seconds=next(_seconds))}
    return NodeExecutionEventRequest(event={**event, "phase": NodeExecution.Phase.Value(phase), **fields})


def task_event(phase: str, **fields: Any) -> TaskExecutionEventRequest:
    event = {
        "task_id": TASK,
        "parent_node_execution_id": NODE,
        "producer_id": "propeller",
        "occurred_at": Timestamp(seconds=next(_seconds)),
        "phase": TaskExecution.Phase.Value(phase),
    }
    return TaskExecutionEventRequest(event={**event, **fields})


@pytest.fixture
async def plane(control_plane: Any, make_request: Any) -> Any:
    await control_plane.executions.create(make_request(NAME))
    return control_plane


async def phase_of_execution(plane: Any) -> str:
    found = await plane.reader.get(WorkflowExecutionGetRequest(id=EXECUTION))
    return WorkflowExecution.Phase.Name(found.closure.phase)


async def node(plane: Any) -> Any:
    return await plane.nodes.get(NodeExecutionGetRequest(id=NODE))


async def task(plane: Any) -> Any:
    identifier = TaskExecutionIdentifier(task_id=TASK, node_execution_id=NODE)
    return await plane.tasks.get(TaskExecutionGetRequest(id=identifier))


async def test_an_event_of_an_unknown_execution_is_not_found(plane: Any) -> None:
    stranger = WorkflowExecutionIdentifier(project="golden", domain="development", name="nobody")
    with pytest.raises(NotFound, match="missing entity of type execution"):
        await plane.recorder.create_workflow_event(workflow_event("RUNNING", execution_id=stranger))
    (outcome,) = await plane.recorder.record([workflow_event("RUNNING", execution_id=stranger)])
    assert outcome.verdict is Verdict.UNKNOWN_EXECUTION


@pytest.mark.parametrize(
    "event",
    [
        workflow_event("RUNNING", execution_id=WorkflowExecutionIdentifier(project="p", domain="d")),
        workflow_event("RUNNING", phase=77),
        workflow_event("RUNNING", occurred_at=Timestamp(seconds=1 << 60)),
        node_event("RUNNING", id=NodeExecutionIdentifier(execution_id=EXECUTION)),
        node_event("RUNNING", id=NodeExecutionIdentifier(execution_id=EXECUTION, node_id="n\0")),
        task_event("RUNNING", occurred_at=None),
        task_event("RUNNING", task_id=Identifier(project="p")),
        node_event("RUNNING", input_uri="s3://" + "x" * 5000),
    ],
    ids=["id", "phase", "time", "node-id", "nul", "no-time", "task-id", "uri"],
)
async def test_a_malformed_event_is_refused_before_anything_is_written(plane: Any, event: Any) -> None:
    with pytest.raises(InvalidInput):
        await plane.recorder.record_one(event)
    outcomes = await plane.recorder.record([workflow_event("RUNNING"), event, workflow_event("SUCCEEDING")])
    assert [outcome.verdict for outcome in outcomes] == [Verdict.RECORDED, Verdict.REJECTED]
    assert await phase_of_execution(plane) == "RUNNING"


async def test_a_repeated_phase_is_already_recorded_but_for_queued(plane: Any) -> None:
    for _ in range(2):
        await plane.recorder.create_workflow_event(workflow_event("QUEUED", producer_id="east"))
    await plane.recorder.create_workflow_event(workflow_event("RUNNING", producer_id="east"))
    with pytest.raises(AlreadyExists, match="This phase RUNNING was already recorded"):
        await plane.recorder.create_workflow_event(workflow_event("RUNNING", producer_id="east"))


async def test_a_foreign_cluster_is_told_whose_the_execution_is(plane: Any) -> None:
    await plane.recorder.create_workflow_event(workflow_event("QUEUED", producer_id="east"))
    for event in (workflow_event("RUNNING", producer_id="west"), node_event("QUEUED", producer_id="west")):
        with pytest.raises(ForeignCluster) as refused:
            await plane.recorder.record_one(event)
        assert refused.value.detail.incompatible_cluster.cluster == "east"


async def test_an_ended_execution_takes_no_more_events(plane: Any) -> None:
    for phase in ("RUNNING", "FAILING", "FAILED"):
        await plane.recorder.create_workflow_event(workflow_event(phase))
    with pytest.raises(AlreadyTerminal) as refused:
        await plane.recorder.create_workflow_event(workflow_event("SUCCEEDED"))
    assert refused.value.detail.already_in_terminal_state.current_phase == "FAILED"
    assert await phase_of_execution(plane) == "FAILED"


async def test_running_does_not_go_back_to_queued(plane: Any) -> None:
    await plane.recorder.create_workflow_event(workflow_event("RUNNING"))
    with pytest.raises(FailedPrecondition):
        await plane.recorder.create_workflow_event(workflow_event("QUEUED"))
    assert await phase_of_execution(plane) == "RUNNING"


async def test_an_execution_that_is_being_aborted_only_ends(plane: Any) -> None:
    await plane.recorder.create_workflow_event(workflow_event("RUNNING"))
    await plane.executions.terminate(ExecutionTerminateRequest(id=EXECUTION, cause="enough"))
    with pytest.raises(FailedPrecondition):
        await plane.recorder.create_workflow_event(workflow_event("SUCCEEDING"))
    aborted = workflow_event("ABORTED", error={"code": "Aborted", "message": "by the data plane"})
    await plane.recorder.create_workflow_event(aborted)
    closure = (await plane.reader.get(WorkflowExecutionGetRequest(id=EXECUTION))).closure
    assert closure.abort_metadata.cause == "enough"
    assert closure.HasField("duration")


async def test_a_success_that_races_an_abort_wins(plane: Any) -> None:
    await plane.executions.terminate(ExecutionTerminateRequest(id=EXECUTION, cause="enough"))
    await plane.recorder.create_workflow_event(workflow_event("SUCCEEDED", output_uri="s3://flyte/out"))
    assert await phase_of_execution(plane) == "SUCCEEDED"


async def test_a_node_is_created_in_whatever_phase_and_never_rewound(plane: Any) -> None:
    await plane.recorder.create_node_event(node_event("RUNNING"))
    with pytest.raises(AlreadyExists):
        await plane.recorder.create_node_event(node_event("QUEUED"))
    await plane.recorder.create_node_event(node_event("SUCCEEDED"))
    with pytest.raises(AlreadyTerminal) as refused:
        await plane.recorder.create_node_event(node_event("FAILED"))
    assert refused.value.detail.already_in_terminal_state.current_phase == "FAILED", "the request's, as upstream"
    assert (await node(plane)).closure.phase == NodeExecution.SUCCEEDED


async def test_a_sender_that_starts_over_after_a_crash_can_go_on(plane: Any) -> None:
    first = [node_event("QUEUED"), node_event("RUNNING"), node_event("SUCCEEDED")]
    await plane.recorder.record(first)
    outcomes = await plane.recorder.record([*first, workflow_event("RUNNING")])
    assert [outcome.verdict for outcome in outcomes] == [Verdict.ALREADY_RECORDED] * 3 + [Verdict.RECORDED]


async def test_a_task_needs_its_node(plane: Any) -> None:
    with pytest.raises(NotFound, match="failed to get existing node execution id"):
        await plane.recorder.create_task_event(task_event("QUEUED"))


async def test_phase_versions_tell_reports_of_one_phase_apart(plane: Any) -> None:
    await plane.recorder.record([node_event("QUEUED"), task_event("QUEUED", reason="first")])
    await plane.recorder.create_task_event(task_event("QUEUED", phase_version=1, reason="second"))
    with pytest.raises(AlreadyExists):
        await plane.recorder.create_task_event(task_event("QUEUED", phase_version=1, reason="again"))
    closure = (await task(plane)).closure
    assert (closure.reason, [reason.message for reason in closure.reasons]) == ("second", ["first", "second"])


async def test_logs_are_merged_and_shown_when_they_should_be(plane: Any) -> None:
    pending = TaskLog(uri="pending", name="p", ShowWhilePending=True)
    usual = TaskLog(uri="usual", name="u")
    hidden = TaskLog(uri="hidden", name="h", HideOnceFinished=True)
    await plane.recorder.record([node_event("QUEUED"), task_event("QUEUED", logs=[pending, usual])])
    assert [log.uri for log in (await task(plane)).closure.logs] == ["pending"]
    await plane.recorder.create_task_event(task_event("RUNNING", logs=[usual, hidden]))
    assert [log.uri for log in (await task(plane)).closure.logs] == ["usual", "hidden", "pending"]
    await plane.recorder.create_task_event(task_event("SUCCEEDED"))
    assert [log.uri for log in (await task(plane)).closure.logs] == ["usual", "pending"]


async def test_custom_info_is_patched(plane: Any) -> None:
    info = {"a": 1, "b": {"c": "x", "d": "y"}}
    await plane.recorder.record([node_event("QUEUED"), task_event("QUEUED", custom_info=info)])
    await plane.recorder.create_task_event(task_event("RUNNING", custom_info={"a": None, "b": {"c": "z"}}))
    patched = (await task(plane)).closure.custom_info
    assert "a" not in patched
    assert dict(patched["b"]) == {"c": "z", "d": "y"}


async def test_a_retryable_failure_may_be_followed_by_the_end(plane: Any) -> None:
    await plane.recorder.record([node_event("RUNNING"), task_event("RUNNING"), task_event("RETRYABLE_FAILED")])
    await plane.recorder.create_task_event(task_event("FAILED"))
    assert (await task(plane)).closure.phase == TaskExecution.FAILED


async def test_inline_outputs_go_to_the_object_store(plane: Any) -> None:
    event = workflow_event("SUCCEEDED")
    event.event.output_data.literals["o0"].scalar.primitive.integer = 6
    await plane.recorder.create_workflow_event(event)
    closure = (await plane.reader.get(WorkflowExecutionGetRequest(id=EXECUTION))).closure
    assert closure.outputs.uri == "s3://flyte/metadata/golden/development/run/offloaded_outputs"
    late = workflow_event("SUCCEEDED")
    late.event.output_data.literals["o0"].scalar.primitive.integer = 7
    with pytest.raises(AlreadyExists):
        await plane.recorder.create_workflow_event(late)
    data = await plane.reader.get_data(WorkflowExecutionGetDataRequest(id=EXECUTION))
    assert data.full_outputs.literals["o0"].scalar.primitive.integer == 6


async def test_inline_outputs_above_the_limit_are_refused(plane: Any) -> None:
    recorder = EventRecorder(plane.database, Offloader(plane.store, "s3://flyte/metadata", 100), SystemClock())
    event = workflow_event("SUCCEEDED")
    event.event.output_data.literals["o0"].scalar.primitive.string_value = "x" * 200
    with pytest.raises(TooLarge, match="offloaded_outputs"):
        await recorder.create_workflow_event(event)
    assert await phase_of_execution(plane) == "UNDEFINED"


def recorder_for(plane: Any, *sinks: str) -> EventRecorder:
    return EventRecorder(plane.database, Offloader(plane.store, "s3://flyte/metadata"), SystemClock(), sinks=sinks)


async def test_every_sink_gets_each_recorded_event_in_order(plane: Any) -> None:
    mail, bus = RecordingSink("mail"), RecordingSink("bus", failures=[RuntimeError("broken")])
    events = [workflow_event("RUNNING"), workflow_event("RUNNING"), node_event("QUEUED")]
    await recorder_for(plane, "mail", "bus").record(events)
    delivery = EventDelivery(plane.database, [mail, bus], SystemClock())
    assert await delivery.deliver(mail) == 2
    assert await delivery.deliver(bus) == 0, "its fault holds up its own events only"
    assert await delivery.deliver(bus) == 0, "not at once again"
    await asyncio.sleep(0.3)
    assert await delivery.deliver(bus) == 2
    ids = ["golden/development/run/RUNNING", "golden/development/run/n0/QUEUED"]
    for sink in (mail, bus):
        assert [event.id for event in sink.events] == ids
        assert [event.request for event in sink.events] == [events[0], events[2]]
    assert await delivery.deliver(mail) == 0


@pytest.mark.parametrize("seed", range(5))
async def test_shuffled_repeated_and_concurrent_events_never_rewind(plane: Any, seed: int) -> None:
    """The phases that readers see only rise, and the end is the end."""
    history = [node_event(phase) for phase in ("QUEUED", "RUNNING", "FAILING", "FAILED")]
    history += [workflow_event(phase) for phase in ("QUEUED", "RUNNING", "FAILING", "FAILED")]
    history += [task_event(phase, phase_version=v) for phase in ("QUEUED", "RUNNING", "FAILED") for v in (0, 1)]
    storm = history * 3
    random.Random(seed).shuffle(storm)
    seen: list[int] = []

    async def watch() -> None:
        while True:
            found = await plane.reader.get(WorkflowExecutionGetRequest(id=EXECUTION))
            seen.append(found.closure.phase)
            await asyncio.sleep(0)

    watcher = asyncio.create_task(watch())
    answers = await asyncio.gather(*(plane.recorder.record([event]) for event in storm))
    watcher.cancel()
    assert all(len(outcomes) == 1 for outcomes in answers)
    ranks = [WorkflowExecution.Phase.Name(phase) for phase in seen]
    order = ["UNDEFINED", "QUEUED", "RUNNING", "FAILING", "FAILED"]
    assert [order.index(rank) for rank in ranks] == sorted(order.index(rank) for rank in ranks)
    assert await phase_of_execution(plane) == "FAILED"
    assert (await node(plane)).closure.phase == NodeExecution.FAILED


def graph_event(version: str) -> NodeExecutionEventRequest:
    workflow = Identifier(
        resource_type=ResourceType.WORKFLOW, project="golden", domain="development", name="dynamic_n0", version=version
    )
    compiled = CompiledWorkflowClosure(primary=CompiledWorkflow(template=WorkflowTemplate(id=workflow)))
    made = {"id": workflow, "compiled_workflow": compiled, "dynamic_job_spec_uri": f"s3://b/{version}/futures.pb"}
    return node_event("DYNAMIC_RUNNING", is_dynamic=True, task_node_metadata={"dynamic_workflow": made})


async def test_the_graph_of_a_later_attempt_is_the_one_that_is_shown(plane: Any) -> None:
    for version in ("one", "two"):
        await plane.recorder.create_node_event(graph_event(version))
    with pytest.raises(AlreadyExists, match="already recorded DYNAMIC_RUNNING"):
        await plane.recorder.create_node_event(graph_event("two"))
    answer = await plane.nodes.get_dynamic_workflow(GetDynamicNodeWorkflowRequest(id=NODE))
    assert answer.compiled_workflow.primary.template.id.version == "two"
    assert (await node(plane)).closure.dynamic_job_spec_uri == "s3://b/two/futures.pb"
