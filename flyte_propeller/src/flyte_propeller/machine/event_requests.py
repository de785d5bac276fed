"""Builds the events of flyteidl.event, with upstream's fields and ids."""

from __future__ import annotations

from datetime import datetime

from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    TaskExecutionEventRequest,
    WorkflowExecutionEventRequest,
)
from flyteidl.core.catalog_pb2 import CACHE_HIT
from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution, TaskExecution
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier
from flyteidl.event.event_pb2 import (
    DynamicWorkflowNodeMetadata,
    EventReason,
    NodeExecutionEvent,
    TaskExecutionEvent,
    TaskExecutionMetadata,
    TaskNodeMetadata,
    WorkflowExecutionEvent,
)
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_core import paths
from flyte_core.identifiers import attempt_name
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.facts import PastNode
from flyte_propeller.machine.retry import is_interruptible, truncated
from flyte_propeller.machine.workflow import Node, Workflow

PRODUCER = "propeller"
"""Upstream's cluster id where there is only one cluster."""

INTERRUPTIBLE = TaskExecutionMetadata.INTERRUPTIBLE

TASK_PHASES = {
    TaskPhase.NOT_READY: TaskExecution.QUEUED,
    TaskPhase.WAITING_FOR_RESOURCES: TaskExecution.WAITING_FOR_RESOURCES,
    TaskPhase.WAITING_FOR_CACHE: TaskExecution.WAITING_FOR_RESOURCES,
    TaskPhase.QUEUED: TaskExecution.QUEUED,
    TaskPhase.INITIALIZING: TaskExecution.INITIALIZING,
    TaskPhase.RUNNING: TaskExecution.RUNNING,
    TaskPhase.SUCCESS: TaskExecution.SUCCEEDED,
    TaskPhase.RETRYABLE_FAILURE: TaskExecution.FAILED,
    TaskPhase.PERMANENT_FAILURE: TaskExecution.FAILED,
    TaskPhase.ABORTED: TaskExecution.ABORTED,
}
"""A plugin's phase as the control plane knows it; both kinds of failure are FAILED there (upstream's rule)."""


def timestamp(moment: datetime) -> Timestamp:
    """Return the moment as protobuf."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def generated_name(workflow: Workflow, node: Node, attempt: int) -> str:
    """Return the name of the attempt's pod or job."""
    return attempt_name(workflow.execution.name, node.unique_id, attempt, max_len=node.name_limit)


def raw_output_name(workflow: Workflow, node: Node, attempt: int) -> str:
    """Return the name of the attempt's raw output folder."""
    return attempt_name(workflow.execution.name, node.unique_id, attempt)


def checkpoint_uri(workflow: Workflow, node: Node, attempt: int) -> str:
    """Return where that attempt keeps its checkpoint."""
    name = raw_output_name(workflow, node, attempt)
    return paths.checkpoint_dir(paths.raw_output_dir(workflow.raw_output_prefix, name))


def workflow_event(
    workflow: Workflow,
    phase: int,
    now: datetime,
    *,
    error: ExecutionError | None = None,
    output_uri: str = "",
) -> WorkflowExecutionEventRequest:
    """Return the event of a workflow's phase."""
    event = WorkflowExecutionEvent(
        execution_id=workflow.execution, producer_id=PRODUCER, phase=phase, occurred_at=timestamp(now)
    )
    if error is not None:
        event.error.CopyFrom(truncated(error))
    elif output_uri:
        event.output_uri = output_uri
    return WorkflowExecutionEventRequest(event=event)


def node_event(
    workflow: Workflow,
    node: Node,
    phase: int,
    now: datetime,
    *,
    attempt: int = 0,
    error: ExecutionError | None = None,
    dynamic: DynamicWorkflowNodeMetadata | None = None,
) -> NodeExecutionEventRequest:
    """Return the event of a node's phase.

    :param dynamic: of a node whose task has ended with a graph, of whose attempt nothing more is said: that graph with
        the event that it begins, else empty
    """
    where = workflow.paths_of(node)
    event = NodeExecutionEvent(
        id=node_execution(workflow, node),
        producer_id=PRODUCER,
        phase=phase,
        occurred_at=timestamp(now),
        reported_at=timestamp(now),
        spec_node_id=node.id,
        node_name=node.name,
        event_version=1,
        is_parent=node.kind == "workflow" or (dynamic is not None and dynamic.HasField("id")),
        is_dynamic=dynamic is not None,
        is_in_dynamic_chain=node.in_dynamic,
        is_array=node.kind == "array",
    )
    if node.parent is not None:
        event.parent_node_metadata.node_id = workflow.nodes[node.parent].unique_id
        event.retry_group = str(node.parent_attempt)
    if node.kind != "start":
        event.input_uri = where.inputs
    ended = phase in (NodeExecution.SUCCEEDED, NodeExecution.FAILED, NodeExecution.TIMED_OUT)
    if error is not None:
        event.error.CopyFrom(truncated(error))
    elif phase == NodeExecution.SUCCEEDED and node.kind != "end" and not node.sleeps:
        event.output_uri = where.outputs(attempt)
    if node.launch_plan is not None:
        event.target_entity.CopyFrom(node.launch_plan)
    if node.task is not None:
        event.target_entity.CopyFrom(node.task.id)
        if dynamic is not None and dynamic.HasField("id"):
            event.task_node_metadata.dynamic_workflow.CopyFrom(dynamic)
        if ended and dynamic is None:
            event.task_node_metadata.checkpoint_uri = checkpoint_uri(workflow, node, attempt)
        if node.task.metadata.generates_deck.value and dynamic is None and (ended or phase == NodeExecution.RUNNING):
            event.deck_uri = paths.join(where.output_dir(attempt), paths.DECK)
    return NodeExecutionEventRequest(event=event)


def tell_of_cache(event: NodeExecutionEvent, catalog: TaskNodeMetadata) -> None:
    """Add what is known of a node's result in the catalog to the node's event."""
    if event.phase in (NodeExecution.RUNNING, NodeExecution.SUCCEEDED, NodeExecution.FAILED, NodeExecution.TIMED_OUT):
        event.task_node_metadata.MergeFrom(catalog)
    if catalog.cache_status == CACHE_HIT:  # nothing ran
        event.task_node_metadata.checkpoint_uri = ""
        event.deck_uri = ""


def recovered_event(workflow: Workflow, node: Node, past: PastNode, now: datetime) -> NodeExecutionEventRequest:
    """Return the event of a node that an earlier execution has run, with what that one's event said."""
    request = node_event(workflow, node, NodeExecution.RECOVERED, now)
    event = request.event
    event.output_uri = workflow.paths_of(node).outputs(0)
    event.deck_uri = past.deck_uri
    event.is_dynamic = past.dynamic
    event.is_parent = event.is_parent or past.dynamic
    if past.task is not None:
        event.task_node_metadata.CopyFrom(past.task)
    elif past.child is not None:
        event.workflow_node_metadata.CopyFrom(past.child)
    return request


def node_execution(workflow: Workflow, node: Node) -> NodeExecutionIdentifier:
    """Return the node's id within its execution."""
    return NodeExecutionIdentifier(node_id=node.unique_id, execution_id=workflow.execution)


def task_event(
    workflow: Workflow, node: Node, attempt: int, info: PhaseInfo, now: datetime, *, system_failures: int = 0
) -> TaskExecutionEventRequest:
    """Return the event of what a plugin reported of an attempt.

    :param system_failures: attempts before this one that the platform lost
    """
    assert node.task is not None
    interruptible = is_interruptible(workflow.wants_interruptible(node), system_failures)
    where = workflow.paths_of(node)
    occurred = timestamp(info.occurred_at or now)
    event = TaskExecutionEvent(
        task_id=node.task.id,
        parent_node_execution_id=node_execution(workflow, node),
        retry_attempt=attempt,
        phase=TASK_PHASES[info.phase],
        phase_version=info.version,
        producer_id=PRODUCER,
        logs=info.logs,
        occurred_at=occurred,
        reported_at=timestamp(now),
        input_uri=where.inputs,
        task_type=node.task.type,
        event_version=1,
        metadata=TaskExecutionMetadata(
            generated_name=generated_name(workflow, node, attempt),
            plugin_identifier=node.plugin_id,
            external_resources=info.external_resources,
            instance_class=INTERRUPTIBLE if interruptible else TaskExecutionMetadata.DEFAULT,
        ),
    )
    if info.reason:
        event.reason = info.reason
        event.reasons.append(EventReason(reason=info.reason, occurred_at=occurred))
    if info.error is not None:
        event.error.CopyFrom(truncated(info.error))
    elif info.phase is TaskPhase.SUCCESS:
        event.output_uri = where.outputs(attempt)
    if info.custom_info is not None:
        struct = Struct()
        struct.update(info.custom_info)
        event.custom_info.CopyFrom(struct)
    return TaskExecutionEventRequest(event=event)


def failure(code: str, message: str, kind: ExecutionError.ErrorKind = ExecutionError.SYSTEM) -> ExecutionError:
    """Return an error of the machine's own."""
    return ExecutionError(code=code, message=message, kind=kind)
