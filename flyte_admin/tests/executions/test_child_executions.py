"""Executions that a node of another one starts: what they take over, and when they are refused."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.admin.event_pb2 import NodeExecutionEventRequest, WorkflowExecutionEventRequest
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, WorkflowExecutionGetRequest
from flyteidl.core.execution_pb2 import NodeExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_core.errors import FailedPrecondition

PARENT = WorkflowExecutionIdentifier(project="golden", domain="development", name="parent")
NODE = NodeExecutionIdentifier(node_id="n0", execution_id=PARENT)


def node_event(phase: str) -> NodeExecutionEventRequest:
    number = NodeExecution.Phase.Value(phase)
    return NodeExecutionEventRequest(
        event={"id": NODE, "producer_id": "propeller", "occurred_at": Timestamp(seconds=100), "phase": number}
    )


def workflow_event(phase: str) -> WorkflowExecutionEventRequest:
    number = WorkflowExecution.Phase.Value(phase)
    event = {"execution_id": PARENT, "producer_id": "propeller", "occurred_at": Timestamp(seconds=100)}
    return WorkflowExecutionEventRequest(event={**event, "phase": number})


@pytest.fixture
async def plane(control_plane: Any, make_request: Any) -> Any:
    request = make_request("parent")
    request.spec.execution_cluster_label.value = "gpu"
    request.spec.metadata.nesting = 2
    await control_plane.executions.create(request, principal="ada")
    await control_plane.recorder.record([workflow_event("RUNNING"), node_event("QUEUED")])
    return control_plane


def child(make_request: Any) -> ExecutionCreateRequest:
    request: ExecutionCreateRequest = make_request("child")
    request.spec.metadata.parent_node_execution.CopyFrom(NODE)
    return request


async def test_a_child_takes_over_principal_nesting_and_cluster_label(plane: Any, make_request: Any) -> None:
    created = await plane.executions.create(child(make_request), principal="robot")
    spec = (await plane.reader.get(WorkflowExecutionGetRequest(id=created.id))).spec
    assert spec.metadata.principal == "ada"
    assert spec.metadata.nesting == 3
    assert spec.execution_cluster_label.value == "gpu"
    assert spec.metadata.parent_node_execution == NODE


async def test_a_child_may_have_a_cluster_label_of_its_own(plane: Any, make_request: Any) -> None:
    request = child(make_request)
    request.spec.execution_cluster_label.value = "cpu"
    created = await plane.executions.create(request)
    spec = (await plane.reader.get(WorkflowExecutionGetRequest(id=created.id))).spec
    assert spec.execution_cluster_label.value == "cpu"


@pytest.mark.parametrize("event", [node_event("FAILED"), workflow_event("ABORTED")], ids=["node", "execution"])
async def test_what_has_ended_starts_no_execution_any_more(plane: Any, make_request: Any, event: Any) -> None:
    await plane.recorder.record([event])
    with pytest.raises(FailedPrecondition, match="parent/n0 has ended"):
        await plane.executions.create(child(make_request))
