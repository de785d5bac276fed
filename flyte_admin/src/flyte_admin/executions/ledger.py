"""The rules by which events are taken or refused: upstream's checks in upstream's order, and forward moves only.

Upstream lets a late node event rewind a node's phase. Here a report that lies behind what is recorded changes
nothing and is answered like a repeated one, so that a sender that starts over after a crash can go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    TaskExecutionEventRequest,
    WorkflowExecutionEventRequest,
)
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution
from flyteidl.event.event_pb2 import NodeExecutionEvent, TaskExecutionEvent, WorkflowExecutionEvent

from flyte_admin.executions import phases
from flyte_admin.executions.event_checks import PROPELLER
from flyte_admin.executions.keys import ExecutionKey, NodeKey, TaskKey
from flyte_admin.executions.node_closure import merge_node_event, merge_node_metadata
from flyte_admin.executions.open_rows import ExecutionRow, NodeRow, TaskRow
from flyte_admin.executions.outcomes import RECORDED, EventOutcome
from flyte_admin.executions.refusals import AlreadyTerminal, ForeignCluster
from flyte_admin.executions.rows import Rows
from flyte_admin.executions.task_closure import merge_task_event
from flyte_admin.executions.workflow_closure import merge_workflow_event
from flyte_core.errors import AlreadyExists, FailedPrecondition, NotFound
from flyte_core.events import ExecutionEventRequest, Verdict

_W = WorkflowExecution


@dataclass(frozen=True, slots=True)
class PreparedEvent:
    """An event without inline data, ready for the database.

    :ivar dynamic_reference: where the event's compiled dynamic workflow was put, empty if it has none
    """

    request: ExecutionEventRequest
    dynamic_reference: str = ""


def fetch_rows(rows: Rows, events: Iterable[PreparedEvent]) -> None:
    """Read every row that these events will ask for."""
    executions: list[ExecutionKey] = []
    nodes: list[NodeKey] = []
    tasks: list[TaskKey] = []
    for prepared in events:
        match prepared.request:
            case WorkflowExecutionEventRequest(event=event):
                executions.append(ExecutionKey.of(event.execution_id))
            case NodeExecutionEventRequest(event=event):
                nodes.append(NodeKey.of(event.id))
                if event.parent_node_metadata.node_id:
                    nodes.append(NodeKey(nodes[-1].execution, event.parent_node_metadata.node_id))
            case TaskExecutionEventRequest(event=event):
                nodes.append(NodeKey.of(event.parent_node_execution_id))
                tasks.append(TaskKey.of(event.task_id, nodes[-1], event.retry_attempt))
    rows.fetch([*executions, *(node.execution for node in nodes)], nodes, tasks)


def record_events(rows: Rows, events: Sequence[PreparedEvent]) -> list[EventOutcome]:
    """Apply the events in order to ``rows`` (which are not written) and return the outcomes, up to and including the
    first one after which the rest may not be recorded.
    """
    outcomes: list[EventOutcome] = []
    for prepared in events:
        outcomes.append(_record(rows, prepared))
        if not outcomes[-1].goes_on:
            break
    return outcomes


def _record(rows: Rows, prepared: PreparedEvent) -> EventOutcome:
    match prepared.request:
        case WorkflowExecutionEventRequest(event=event):
            return _record_workflow(rows, event)
        case NodeExecutionEventRequest(event=event):
            return _record_node(rows, event, prepared.dynamic_reference)
        case TaskExecutionEventRequest(event=event):
            return _record_task(rows, event)
        case other:
            raise TypeError(f"{type(other).__name__} is no event request")


def unknown_execution(key: ExecutionKey) -> EventOutcome:
    """Return the refusal of an event for an execution that is not stored."""
    text = f"project:{key.project!r} domain:{key.domain!r} name:{key.name!r}"
    return EventOutcome(Verdict.UNKNOWN_EXECUTION, NotFound(f"missing entity of type execution with identifier {text}"))


def _foreign(row: ExecutionRow, producer: str) -> EventOutcome | None:
    if producer in ("", PROPELLER) or producer == row.cluster:
        return None
    message = f"recorded cluster {row.cluster!r} does not match event cluster {producer!r}"
    return EventOutcome(Verdict.FOREIGN_CLUSTER, ForeignCluster(message, row.cluster))


def _repeated(message: str) -> EventOutcome:
    return EventOutcome(Verdict.ALREADY_RECORDED, AlreadyExists(message, identical=True))


def _record_workflow(rows: Rows, event: WorkflowExecutionEvent) -> EventOutcome:
    key = ExecutionKey.of(event.execution_id)
    row = rows.execution(key)
    if row is None:
        return unknown_execution(key)
    refusal = _refuse_workflow(row, key, event)
    if refusal is not None:
        return refusal
    if event.phase == _W.QUEUED and row.phase in (_W.UNDEFINED, _W.QUEUED):
        row.cluster = event.producer_id
    row.phase = event.phase
    merge_workflow_event(row.open_closure(), event)
    row.changed = True
    return RECORDED


def _refuse_workflow(row: ExecutionRow, key: ExecutionKey, event: WorkflowExecutionEvent) -> EventOutcome | None:
    recorded, reported = _W.Phase.Name(row.phase), _W.Phase.Name(event.phase)
    if event.phase == row.phase and event.phase != _W.QUEUED:
        return _repeated(f"This phase {reported} was already recorded for workflow execution {'/'.join(key)}")
    if event.phase != _W.QUEUED:
        foreign = _foreign(row, event.producer_id)
        if foreign is not None:
            return foreign
    if row.phase in phases.TERMINAL_EXECUTION:
        message = f"Invalid phase change from {recorded} to {reported} for workflow execution {'/'.join(key)}"
        return EventOutcome(Verdict.TERMINAL, AlreadyTerminal(message, recorded))
    if phases.EXECUTION_RANK[event.phase] >= phases.EXECUTION_RANK[row.phase]:
        return None
    message = f"Cannot go from {recorded} to {reported} for workflow execution {'/'.join(key)}"
    if row.phase == _W.ABORTING:
        return EventOutcome(Verdict.TERMINAL, FailedPrecondition(message))
    if event.phase == _W.QUEUED and row.phase == _W.RUNNING:
        return EventOutcome(Verdict.ALREADY_RECORDED, FailedPrecondition(message))
    return _repeated(message)


def _record_node(rows: Rows, event: NodeExecutionEvent, dynamic_reference: str) -> EventOutcome:
    key = NodeKey.of(event.id)
    execution = rows.execution(key.execution)
    if execution is None:
        return unknown_execution(key.execution)
    foreign = _foreign(execution, event.producer_id)
    if foreign is not None:
        return foreign
    row = rows.node(key)
    if row is not None:
        refusal = _refuse_node(row, key, event)
        if refusal is not None and not _is_another_graph(row, event, dynamic_reference):
            return refusal
    missing = _missing_reference(rows, event)
    if missing is not None:
        return missing
    if row is None:
        row = rows.add_node(key)
        _set_parents(rows, row, event)
    row.phase = event.phase
    row.input_uri = row.input_uri or event.input_uri
    row.dynamic_reference = dynamic_reference or row.dynamic_reference
    merge_node_event(row.closure, event)
    merge_node_metadata(row.metadata, event)
    row.changed = True
    return RECORDED


def _is_another_graph(row: NodeRow, event: NodeExecutionEvent, dynamic_reference: str) -> bool:
    """Tell whether another attempt of a dynamic node shows its graph: the same phase again, and news all the same."""
    return event.phase == row.phase and bool(dynamic_reference) and dynamic_reference != row.dynamic_reference


def _refuse_node(row: NodeRow, key: NodeKey, event: NodeExecutionEvent) -> EventOutcome | None:
    reported = NodeExecution.Phase.Name(event.phase)
    if event.phase == row.phase:
        return _repeated(f"This phase was already recorded {reported} for {_node_text(key)}")
    if row.phase in phases.TERMINAL_NODE:
        recorded = NodeExecution.Phase.Name(row.phase)
        error = AlreadyTerminal(
            f"Invalid phase change from {recorded} to {reported} for node execution {_node_text(key)}", reported
        )
        late = event.phase not in phases.TERMINAL_NODE
        return EventOutcome(Verdict.ALREADY_RECORDED if late else Verdict.TERMINAL, error)
    if phases.NODE_RANK[event.phase] < phases.NODE_RANK[row.phase]:
        recorded = NodeExecution.Phase.Name(row.phase)
        return _repeated(f"{reported} is behind the recorded phase {recorded} of {_node_text(key)}")
    return None


def _missing_reference(rows: Rows, event: NodeExecutionEvent) -> EventOutcome | None:
    parent = event.parent_node_metadata.node_id
    if parent and rows.node(NodeKey(ExecutionKey.of(event.id.execution_id), parent)) is None:
        error = NotFound(f"failed to get existing node execution id: [{parent}], the parent of {event.id.node_id}")
        return EventOutcome(Verdict.REJECTED, error)
    if event.HasField("workflow_node_metadata"):
        child = ExecutionKey.of(event.workflow_node_metadata.execution_id)
        if rows.execution(child) is None:
            return EventOutcome(Verdict.REJECTED, unknown_execution(child).error)
    return None


def _set_parents(rows: Rows, row: NodeRow, event: NodeExecutionEvent) -> None:
    if event.parent_node_metadata.node_id:
        key = NodeKey(ExecutionKey.of(event.id.execution_id), event.parent_node_metadata.node_id)
        row.parent_id = rows.node_id(key)
        parent = rows.node(key)
        if parent is not None and not parent.metadata.is_parent_node:
            parent.metadata.is_parent_node = True  # a branch node's own events do not say so
            parent.changed = True
    if event.HasField("parent_task_metadata"):
        parent = event.parent_task_metadata.id
        attempt = TaskKey.of(parent.task_id, NodeKey.of(parent.node_execution_id), parent.retry_attempt)
        task = rows.task(attempt)
        row.parent_task_execution_id = task.id if task is not None else None


def _record_task(rows: Rows, event: TaskExecutionEvent) -> EventOutcome:
    node = NodeKey.of(event.parent_node_execution_id)
    execution = rows.execution(node.execution)
    if execution is None:
        return unknown_execution(node.execution)
    foreign = _foreign(execution, event.producer_id)
    if foreign is not None:
        return foreign
    if rows.node(node) is None:
        error = NotFound(f"failed to get existing node execution id: [{_node_text(node)}]")
        return EventOutcome(Verdict.REJECTED, error)
    key = TaskKey.of(event.task_id, node, event.retry_attempt)
    row = rows.task(key)
    if row is not None:
        refusal = _refuse_task(row, key, event)
        if refusal is not None:
            return refusal
    else:
        row = rows.add_task(key)
    row.phase = event.phase
    row.phase_version = event.phase_version
    row.input_uri = row.input_uri or event.input_uri
    merge_task_event(row.closure, event)
    row.changed = True
    return RECORDED


def _refuse_task(row: TaskRow, key: TaskKey, event: TaskExecutionEvent) -> EventOutcome | None:
    reported, recorded = TaskExecution.Phase.Name(event.phase), TaskExecution.Phase.Name(row.phase)
    text = f"attempt {key.retry_attempt} of task {key.name} in node {_node_text(key.node)}"
    if event.phase == row.phase and event.phase_version <= row.phase_version:
        return _repeated(
            f"have already recorded task execution phase {reported} (version: {row.phase_version}) for {text}"
        )
    if row.phase in phases.TERMINAL_TASK:
        error = AlreadyTerminal(f"invalid phase change from {recorded} to {reported} for {text}", reported)
        late = event.phase not in phases.TERMINAL_TASK
        return EventOutcome(Verdict.ALREADY_RECORDED if late else Verdict.TERMINAL, error)
    if phases.TASK_RANK[event.phase] < phases.TASK_RANK[row.phase]:
        return _repeated(f"{reported} is behind the recorded phase {recorded} of {text}")
    return None


def _node_text(key: NodeKey) -> str:
    return f"{'/'.join(key.execution)}/{key.node_id}"
