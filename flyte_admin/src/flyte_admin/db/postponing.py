"""Rows of an outbox that could not be dealt with: when they are due again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, update

SHORTEST_DELAY = 0.25
"""Seconds after the first failure; doubled with each further one."""


def postpone(
    connection: Connection, outbox: Table, row_id: int, *, failures: int, longest: float, reason: str, now: datetime
) -> None:
    """Write down that the row failed once more, and when it is due again.

    :param failures: how often it had failed before
    :param longest: most seconds to wait
    """
    delay = min(SHORTEST_DELAY * 2 ** min(failures, 16), longest)
    connection.execute(
        update(outbox)
        .where(outbox.c.id == row_id)
        .values(
            attempts=failures + 1,
            available_at=now + timedelta(seconds=delay),
            error=reason[:1024],
            updated_at=now,
        )
    )
