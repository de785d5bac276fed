"""Where the time of an execution went: a tree of spans, built from the closures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flyteidl.admin.execution_pb2 import (
    ExecutionClosure,
    WorkflowExecutionGetMetricsRequest,
    WorkflowExecutionGetMetricsResponse,
)
from flyteidl.admin.node_execution_pb2 import NodeExecutionClosure
from flyteidl.admin.task_execution_pb2 import TaskExecutionClosure
from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    ResourceType,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.metrics_pb2 import Span
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Connection, Row, Select, select

from flyte_admin.db.database import Database
from flyte_admin.db.schema import executions, node_executions, task_executions
from flyte_admin.executions.identify import execution_condition, missing_execution
from flyte_admin.executions.phases import TERMINAL_EXECUTION, TERMINAL_NODE, TERMINAL_TASK
from flyte_core.identifiers import check_identifier

Closure = ExecutionClosure | NodeExecutionClosure | TaskExecutionClosure


@dataclass(frozen=True, slots=True)
class _Rows:
    """All rows of one execution.

    :ivar nodes: by surrogate key of the parent; None for the top
    :ivar tasks: by node id
    """

    execution: ExecutionClosure
    nodes: Mapping[int | None, list[Row[Any]]]
    tasks: Mapping[str, list[Row[Any]]]


class MetricsReader:
    """Builds the span trees of executions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, request: WorkflowExecutionGetMetricsRequest) -> WorkflowExecutionGetMetricsResponse:
        """Return the spans of an execution down to ``depth`` levels; -1 goes all the way down.

        Launch plan nodes are not followed into their executions, and no time between nodes is named: the setup of a
        node begins when it was queued.

        :raises NotFound: if there is no such execution
        """
        check_identifier(request.id, "id")
        rows = await self._database.read(lambda connection: _read(connection, request.id))
        depth = request.depth if request.depth >= 0 else 1_000
        return WorkflowExecutionGetMetricsResponse(span=_workflow_span(request.id, rows, depth))


def _read(connection: Connection, execution: WorkflowExecutionIdentifier) -> _Rows:
    found = connection.execute(
        select(executions.c.closure).where(execution_condition(executions, execution))
    ).scalar_one_or_none()
    if found is None:
        raise missing_execution(execution)
    nodes: dict[int | None, list[Row[Any]]] = {}
    columns = node_executions.c
    query: Select[Any] = select(columns.id, columns.node_id, columns.parent_id, columns.closure)
    for row in connection.execute(query.where(execution_condition(node_executions, execution)).order_by(columns.id)):
        nodes.setdefault(row.parent_id, []).append(row)
    tasks: dict[str, list[Row[Any]]] = {}
    query = select(task_executions).where(execution_condition(task_executions, execution))
    for row in connection.execute(query.order_by(task_executions.c.id)):
        tasks.setdefault(row.node_id, []).append(row)
    return _Rows(ExecutionClosure.FromString(found), nodes, tasks)


def _workflow_span(execution: WorkflowExecutionIdentifier, rows: _Rows, depth: int) -> Span:
    closure = rows.execution
    span = Span(start_time=closure.created_at, end_time=closure.updated_at, workflow_id=execution)
    if depth == 0:
        return span
    children = [_node_span(execution, row, rows, depth - 1) for row in rows.nodes.get(None, [])]
    ended = closure.phase in TERMINAL_EXECUTION
    span.spans.extend(_framed(span, children, "WORKFLOW", ended=ended))
    return span


def _node_span(execution: WorkflowExecutionIdentifier, row: Row[Any], rows: _Rows, depth: int) -> Span:
    closure = NodeExecutionClosure.FromString(row.closure)
    node = NodeExecutionIdentifier(node_id=row.node_id, execution_id=execution)
    span = Span(start_time=closure.created_at, end_time=closure.updated_at, node_id=node)
    if depth <= 0:
        return span
    children = [_task_span(node, task, depth - 1) for task in rows.tasks.get(row.node_id, [])]
    children += [_node_span(execution, child, rows, depth - 1) for child in rows.nodes.get(row.id, [])]
    span.spans.extend(_framed(span, children, "NODE", ended=closure.phase in TERMINAL_NODE))
    return span


def _task_span(node: NodeExecutionIdentifier, row: Row[Any], depth: int) -> Span:
    closure = TaskExecutionClosure.FromString(row.closure)
    task = Identifier(
        resource_type=ResourceType.TASK, project=row.project, domain=row.domain, name=row.name, version=row.version
    )
    identifier = TaskExecutionIdentifier(task_id=task, node_execution_id=node, retry_attempt=row.retry_attempt)
    span = Span(start_time=closure.created_at, end_time=closure.updated_at, task_id=identifier)
    if depth <= 0:
        return span
    if not closure.HasField("started_at"):
        span.spans.append(_operation("TASK_SETUP", closure.created_at, closure.updated_at))
        return span
    span.spans.append(_operation("TASK_SETUP", closure.created_at, closure.started_at))
    stopped = closure.updated_at
    if closure.HasField("duration"):
        stopped = Timestamp()
        stopped.FromNanoseconds(closure.started_at.ToNanoseconds() + closure.duration.ToNanoseconds())
    span.spans.append(_operation("TASK_RUNTIME", closure.started_at, stopped))
    if closure.phase in TERMINAL_TASK:
        span.spans.append(_operation("TASK_TEARDOWN", stopped, closure.updated_at))
    return span


def _framed(span: Span, children: Iterable[Span], noun: str, *, ended: bool) -> list[Span]:
    """Return the children between what comes before the first and after the last of them."""
    inner = list(children)
    if not inner:
        return [_operation(f"{noun}_SETUP", span.start_time, span.end_time)]
    first = min((child.start_time for child in inner), key=Timestamp.ToNanoseconds)
    last = max((child.end_time for child in inner), key=Timestamp.ToNanoseconds)
    framed = [_operation(f"{noun}_SETUP", span.start_time, first), *inner]
    return [*framed, _operation(f"{noun}_TEARDOWN", last, span.end_time)] if ended else framed


def _operation(name: str, start: Timestamp, end: Timestamp) -> Span:
    return Span(start_time=start, end_time=end, operation_id=name)
