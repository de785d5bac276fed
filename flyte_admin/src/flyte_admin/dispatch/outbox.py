"""Reading the outbox of workflows, and writing down what became of its orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never

from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionSpec
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from sqlalchemy import Connection, and_, delete, func, select

from flyte_admin.db.execution_tables import EXECUTION
from flyte_admin.db.postponing import postpone
from flyte_admin.db.schema import executions, workflow_outbox, workflows
from flyte_admin.dispatch.orders import Created, Deleting, Gone, Impossible, Later, Order, Outcome, Skipped
from flyte_admin.executions.identify import execution_condition
from flyte_admin.executions.keys import ExecutionKey
from flyte_admin.executions.lifecycle import fail_undispatched, finish_abort
from flyte_admin.executions.submission import CREATE, TERMINATE, order_termination

LONGEST_DELAY = 30.0
"""Most seconds before an order is tried again."""

_TO_EXECUTION = and_(*(executions.c[name] == workflow_outbox.c[name] for name in EXECUTION))
_DUE = (
    select(
        workflow_outbox.c.id,
        workflow_outbox.c.action,
        workflow_outbox.c.payload,
        workflow_outbox.c.attempts,
        workflow_outbox.c.created_at,
        *(workflow_outbox.c[name] for name in EXECUTION),
        executions.c.phase,
        executions.c.spec,
        executions.c.inputs_uri,
        workflows.c.remote_closure_identifier,
    )
    .join(executions, _TO_EXECUTION)
    .outerjoin(workflows, workflows.c.id == executions.c.workflow_id)
    .order_by(workflow_outbox.c.id)
)


def due_orders(connection: Connection, now: datetime, limit: int) -> list[Order]:
    """Return the oldest orders that may be tried now."""
    query = _DUE.where(workflow_outbox.c.available_at <= now).limit(limit)
    return [_order(row) for row in connection.execute(query)]


def next_due(connection: Connection) -> datetime | None:
    """Return when the next order may be tried, None if there is none."""
    found: datetime | None = connection.execute(select(func.min(workflow_outbox.c.available_at))).scalar_one()
    return found


def _order(row: Any) -> Order:
    request = ExecutionCreateRequest.FromString(row.payload or b"")
    return Order(
        row_id=row.id,
        action=row.action,
        execution=WorkflowExecutionIdentifier(
            project=row.execution_project, domain=row.execution_domain, name=row.execution_name
        ),
        phase=row.phase,
        spec=request.spec if row.action == CREATE else ExecutionSpec.FromString(row.spec),
        request=request,
        closure_uri=row.remote_closure_identifier or "",
        inputs_uri=row.inputs_uri,
        accepted_at=row.created_at,
        attempts=row.attempts,
    )


def settle(connection: Connection, outcomes: Sequence[tuple[Order, Outcome]], now: datetime) -> None:
    """Write down what became of the orders: those that are done leave the outbox, the others wait."""
    done: list[int] = []
    for order, outcome in outcomes:
        match outcome:
            case Created():
                done.append(order.row_id)
                _terminate_again(connection, order, now)
            case Skipped():
                done.append(order.row_id)
            case Impossible(error=error):
                done.append(order.row_id)
                fail_undispatched(connection, order.execution, error, now)
            case Gone():
                done.append(order.row_id)
                _drop_creations(connection, order)
                finish_abort(connection, order.execution, now)
            case Deleting():
                _postpone(connection, order, "", now)
            case Later(reason=reason):
                _postpone(connection, order, reason, now)
            case _:
                assert_never(outcome)
    if done:
        connection.execute(delete(workflow_outbox).where(workflow_outbox.c.id.in_(done)))


def _terminate_again(connection: Connection, order: Order, now: datetime) -> None:
    """An execution may have been aborted while its FlyteWorkflow was being created, and that order may have met none:
    then there is one now that nobody would end.
    """
    query = select(executions.c.phase).where(execution_condition(executions, order.execution)).with_for_update()
    if connection.execute(query).scalar_one() in ("ABORTING", "ABORTED"):
        order_termination(connection, ExecutionKey.of(order.execution), now)


def _drop_creations(connection: Connection, order: Order) -> None:
    connection.execute(
        delete(workflow_outbox).where(
            execution_condition(workflow_outbox, order.execution), workflow_outbox.c.action == CREATE
        )
    )


def _postpone(connection: Connection, order: Order, reason: str, now: datetime) -> None:
    postpone(
        connection,
        workflow_outbox,
        order.row_id,
        failures=order.attempts,
        longest=LONGEST_DELAY,
        reason=reason,
        now=now,
    )


__all__ = ["CREATE", "TERMINATE", "due_orders", "next_due", "settle"]
