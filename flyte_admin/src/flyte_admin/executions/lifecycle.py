"""Changes of an execution that do not come from the data plane: archiving, aborting, failing before it ever ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionState
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from sqlalchemy import Connection, Row, Select, select, update

from flyte_admin.db.schema import executions
from flyte_admin.executions.identify import execution_condition, missing_execution
from flyte_admin.executions.keys import ExecutionKey
from flyte_admin.executions.phases import TERMINAL_PHASE_NAMES
from flyte_admin.executions.refusals import AlreadyTerminal
from flyte_admin.executions.submission import end_closure, order_termination
from flyte_admin.notifications.outbox import queue_notifications


def _lock(connection: Connection, execution: WorkflowExecutionIdentifier) -> Row[Any]:
    query: Select[Any] = (
        select(executions.c.id, executions.c.phase, executions.c.closure)
        .where(execution_condition(executions, execution))
        .with_for_update()
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise missing_execution(execution)
    return row


def _write(connection: Connection, row_id: int, closure: ExecutionClosure, now: datetime, **values: Any) -> None:
    connection.execute(
        update(executions)
        .where(executions.c.id == row_id)
        .values(closure=closure.SerializeToString(), updated_at=now, **values)
    )


def set_state(
    connection: Connection,
    execution: WorkflowExecutionIdentifier,
    state: ExecutionState.ValueType,
    principal: str,
    now: datetime,
) -> None:
    """Set ACTIVE or ARCHIVED, and who did it when.

    :raises NotFound: if there is no such execution
    """
    row = _lock(connection, execution)
    closure = ExecutionClosure.FromString(row.closure)
    closure.state_change_details.state = state
    closure.state_change_details.principal = principal
    closure.state_change_details.occurred_at.FromDatetime(now)
    _write(connection, row.id, closure, now, state=state)


def terminate(
    connection: Connection, execution: WorkflowExecutionIdentifier, cause: str, principal: str, now: datetime
) -> None:
    """Set ABORTING with cause and principal, and queue the deletion of the FlyteWorkflow.

    :raises NotFound: if there is no such execution
    :raises AlreadyTerminal: if it has ended
    """
    row = _lock(connection, execution)
    if row.phase in TERMINAL_PHASE_NAMES:
        raise AlreadyTerminal(
            f"Cannot abort an already terminate workflow execution {execution.name}: it is {row.phase}", row.phase
        )
    if row.phase == "ABORTING":
        return
    closure = ExecutionClosure.FromString(row.closure)
    closure.phase = WorkflowExecution.ABORTING
    closure.abort_metadata.cause = cause
    closure.abort_metadata.principal = principal
    closure.updated_at.FromDatetime(now)
    _write(connection, row.id, closure, now, phase="ABORTING", abort_cause=cause, execution_updated_at=now)
    order_termination(connection, ExecutionKey.of(execution), now)


def finish_abort(connection: Connection, execution: WorkflowExecutionIdentifier, now: datetime) -> None:
    """Set ABORTED where an execution is ABORTING and the data plane has nothing (more) of it; else do nothing."""
    row = _lock(connection, execution)
    if row.phase != "ABORTING":
        return
    closure = ExecutionClosure.FromString(row.closure)
    closure.phase = WorkflowExecution.ABORTED
    _end(connection, execution, row.id, closure, now, phase="ABORTED")


def fail_undispatched(
    connection: Connection, execution: WorkflowExecutionIdentifier, error: ExecutionError, now: datetime
) -> None:
    """Set FAILED for an execution whose FlyteWorkflow can never be created; one that has ended stays as it is."""
    row = _lock(connection, execution)
    if row.phase in TERMINAL_PHASE_NAMES:
        return
    closure = ExecutionClosure.FromString(row.closure)
    closure.phase = WorkflowExecution.FAILED
    closure.error.CopyFrom(error)
    kind = ExecutionError.ErrorKind.Name(error.kind)
    _end(connection, execution, row.id, closure, now, phase="FAILED", error_kind=kind, error_code=error.code)


def _end(
    connection: Connection,
    execution: WorkflowExecutionIdentifier,
    row_id: int,
    closure: ExecutionClosure,
    now: datetime,
    **values: Any,
) -> None:
    end_closure(closure, now)
    nanoseconds = closure.duration.seconds * 1_000_000_000 + closure.duration.nanos
    _write(connection, row_id, closure, now, execution_updated_at=now, duration=nanoseconds, **values)
    queue_notifications(connection, [(ExecutionKey.of(execution), closure)], now)
