"""Sends queued notifications: at least once, a bounded number of times, none waiting for another."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any

from flyteidl.admin.common_pb2 import Notification
from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionSpec
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from sqlalchemy import Row

from flyte_admin.db.database import Database
from flyte_admin.executions.alarm import Alarm
from flyte_admin.notifications.messages import NotificationSettings, message
from flyte_admin.notifications.outbox import drop, due_notifications, next_due, send_later
from flyte_core.clock import Clock
from flyte_core.errors import SystemFault, TooLarge
from flyte_core.notifications import EndNotice, Notifier

BATCH = 16
"""Notifications that are sent side by side."""
RESYNC_SECONDS = 5.0
"""How often the outbox is looked at without being told."""
MOST_ATTEMPTS = 20
"""After so many, a notification is given up, which the log says. They take six hours."""

_log = logging.getLogger(__name__)


class NotificationDelivery:
    """The relay between the outbox of notifications and the notifier."""

    def __init__(self, database: Database, notifier: Notifier, settings: NotificationSettings, clock: Clock) -> None:
        self._database = database
        self._notifier = notifier
        self._settings = settings
        self._clock = clock
        self._alarm = Alarm(clock)

    def wake(self) -> None:
        """Have the outbox looked at now: called after an execution ended."""
        self._alarm.ring()

    async def run(self) -> None:
        """Send until cancelled, what an earlier life left over first."""
        while True:
            self._alarm.reset()
            try:
                while await self.turn() == BATCH:
                    pass
                due = await self._database.read(next_due)
            except (SystemFault, TooLarge) as fault:
                due = None
                _log.warning("the outbox of notifications cannot be read or written", extra={"reason": str(fault)})
            await self._alarm.wait(self._delay(due))

    def _delay(self, due: datetime | None) -> float:
        if due is None:
            return RESYNC_SECONDS
        return min(max((due - self._clock.now()).total_seconds(), 0.0), RESYNC_SECONDS)

    async def turn(self) -> int:
        """Send what is due, :data:`BATCH` at most, and return how many that were.

        :raises SystemFault: if the database does not answer; what was sent may then be sent again
        :raises TooLarge: if too much waits for it
        """
        now = self._clock.now()
        rows = await self._database.read(lambda connection: due_notifications(connection, now, BATCH))
        for result in await asyncio.gather(*(self._send(row) for row in rows), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        return len(rows)

    async def _send(self, row: Row[Any]) -> None:
        notice = self._notice(row)
        try:
            await self._notifier.send(notice)
        except Exception as error:  # noqa: BLE001 - a notifier speaks to foreign systems: any fault is noted, and tried again
            reason = f"{type(error).__name__}: {error}"
            again = row.attempts + 1 < MOST_ATTEMPTS
            _log.log(
                logging.WARNING if again else logging.ERROR,
                "a notification could not be sent",
                extra={"notification": notice.id, "reason": reason, "again": again},
            )
            if again:
                now = self._clock.now()
                await self._database.write(lambda connection: send_later(connection, row, reason, now))
                return
        await self._database.write(lambda connection: drop(connection, row.id))

    def _notice(self, row: Row[Any]) -> EndNotice:
        execution = WorkflowExecutionIdentifier(
            project=row.execution_project, domain=row.execution_domain, name=row.execution_name
        )
        email = message(
            self._settings,
            Notification.FromString(row.notification),
            execution,
            ExecutionSpec.FromString(row.spec),
            ExecutionClosure.FromString(row.closure),
            phase=row.phase,
        )
        parts = (execution.project, execution.domain, execution.name, row.phase, str(row.id))
        return EndNotice("/".join(parts), execution, row.phase, email)
