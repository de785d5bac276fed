"""The outbox of notifications: filled by whatever ends an execution, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flyteidl.admin.execution_pb2 import ExecutionClosure
from flyteidl.core.execution_pb2 import WorkflowExecution
from sqlalchemy import Connection, Row, and_, delete, func, insert, select

from flyte_admin.db.execution_tables import EXECUTION
from flyte_admin.db.postponing import postpone
from flyte_admin.db.schema import executions, notification_outbox
from flyte_admin.executions.keys import ExecutionKey

LONGEST_DELAY = 3600.0
"""Most seconds before a notification is sent again."""

_COLUMNS = notification_outbox.c
_INSERT = insert(notification_outbox)
_DUE = (
    select(
        *(_COLUMNS[name] for name in ("id", *EXECUTION, "phase", "notification", "attempts")),
        executions.c.spec,
        executions.c.closure,
    )
    .join(executions, and_(*(executions.c[name] == _COLUMNS[name] for name in EXECUTION)))
    .order_by(_COLUMNS.id)
)


def queue_notifications(
    connection: Connection, ended: Iterable[tuple[ExecutionKey, ExecutionClosure]], now: datetime
) -> None:
    """Queue those notifications of executions that are for the phase in which they have just ended."""
    rows = [
        {
            **key.columns,
            "created_at": now,
            "updated_at": now,
            "phase": WorkflowExecution.Phase.Name(closure.phase),
            "notification": notification.SerializeToString(),
            "available_at": now,
        }
        for key, closure in ended
        for notification in closure.notifications
        if closure.phase in notification.phases
    ]
    if rows:
        connection.execute(_INSERT, rows)


def due_notifications(connection: Connection, now: datetime, limit: int) -> list[Row[Any]]:
    """Return the oldest notifications that may be sent now, with spec and closure of their executions."""
    return list(connection.execute(_DUE.where(_COLUMNS.available_at <= now).limit(limit)))


def next_due(connection: Connection) -> datetime | None:
    """Return when the next notification may be sent, None if there is none."""
    found: datetime | None = connection.execute(select(func.min(_COLUMNS.available_at))).scalar_one()
    return found


def drop(connection: Connection, row_id: int) -> None:
    """Take a notification out: it was sent, or is given up."""
    connection.execute(delete(notification_outbox).where(_COLUMNS.id == row_id))


def send_later(connection: Connection, row: Row[Any], reason: str, now: datetime) -> None:
    """Write down that a notification could not be sent, and when it is tried again."""
    postpone(
        connection,
        notification_outbox,
        row.id,
        failures=row.attempts,
        longest=LONGEST_DELAY,
        reason=reason,
        now=now,
    )
