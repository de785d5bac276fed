"""How rows of what runs are found by the identifiers of requests, and what is said when they are not there."""

from __future__ import annotations

from typing import Any

from flyteidl.core.identifier_pb2 import (
    NodeExecutionIdentifier,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from sqlalchemy import ColumnElement, Select, Table, and_, select

from flyte_admin.db.schema import task_executions
from flyte_core.errors import NotFound


def execution_condition(table: Table, execution: WorkflowExecutionIdentifier) -> ColumnElement[bool]:
    """Return the condition that a row belongs to the execution."""
    return and_(
        table.c.execution_project == execution.project,
        table.c.execution_domain == execution.domain,
        table.c.execution_name == execution.name,
    )


def node_condition(table: Table, node: NodeExecutionIdentifier) -> ColumnElement[bool]:
    """Return the condition that a row belongs to the node execution."""
    return and_(execution_condition(table, node.execution_id), table.c.node_id == node.node_id)


def attempt_condition(task: TaskExecutionIdentifier) -> ColumnElement[bool]:
    """Return the condition that a row of ``task_executions`` is this attempt."""
    columns = task_executions.c
    return and_(
        node_condition(task_executions, task.node_execution_id),
        columns.project == task.task_id.project,
        columns.domain == task.task_id.domain,
        columns.name == task.task_id.name,
        columns.version == task.task_id.version,
        columns.retry_attempt == task.retry_attempt,
    )


def task_condition(task: TaskExecutionIdentifier) -> Select[Any]:
    """Return a subquery for the surrogate key of this attempt's row."""
    return select(task_executions.c.id).where(attempt_condition(task))


def missing_execution(execution: WorkflowExecutionIdentifier) -> NotFound:
    """Return the error for an execution that is not stored (upstream's text)."""
    return NotFound(f"missing entity of type execution with identifier {_text(execution)}")


def missing_node(node: NodeExecutionIdentifier) -> NotFound:
    """Return the error for a node execution that is not stored (upstream's text)."""
    identifier = f'node_id:"{node.node_id}" execution_id:<{_text(node.execution_id)}>'
    return NotFound(f"missing entity of type node execution with identifier {identifier}")


def missing_task(task: TaskExecutionIdentifier) -> NotFound:
    """Return the error for a task execution that is not stored (upstream's text)."""
    node = task.node_execution_id
    identifier = f'{task.task_id.name} attempt {task.retry_attempt} node_id:"{node.node_id}" {_text(node.execution_id)}'
    return NotFound(f"missing entity of type task execution with identifier {identifier}")


def _text(execution: WorkflowExecutionIdentifier) -> str:
    return f'project:"{execution.project}" domain:"{execution.domain}" name:"{execution.name}"'
