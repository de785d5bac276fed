"""Delivers recorded events to their sinks: at least once, in order for each sink, none waiting for another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    TaskExecutionEventRequest,
    WorkflowExecutionEventRequest,
)
from sqlalchemy import Connection, Row, delete, select

from flyte_admin.db.database import Database
from flyte_admin.db.postponing import postpone
from flyte_admin.db.schema import event_outbox
from flyte_admin.executions.alarm import Alarm
from flyte_core.clock import Clock
from flyte_core.errors import SystemFault
from flyte_core.events import EventSink, RecordedEvent

BATCH = 100
"""Events that a sink gets before they are taken out of the outbox together."""
RESYNC_SECONDS = 5.0
"""How often the outbox is looked at without being told."""
LONGEST_DELAY = 60.0
"""Most seconds before an event is delivered again."""

_MESSAGES = {
    message.DESCRIPTOR.full_name: message
    for message in (WorkflowExecutionEventRequest, NodeExecutionEventRequest, TaskExecutionEventRequest)
}
_log = logging.getLogger(__name__)


class EventDelivery:
    """The relay between the outbox of events and the sinks."""

    def __init__(self, database: Database, sinks: Sequence[EventSink], clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sinks = [(sink, Alarm(clock)) for sink in sinks]

    def wake(self) -> None:
        """Have the outbox looked at now: called after events were recorded."""
        for _, alarm in self._sinks:
            alarm.ring()

    async def run(self) -> None:
        """Deliver until cancelled, what an earlier life left over first."""
        async with asyncio.TaskGroup() as group:
            for sink, alarm in self._sinks:
                group.create_task(self._serve(sink, alarm), name=f"deliver-{sink.name}")

    async def _serve(self, sink: EventSink, alarm: Alarm) -> None:
        while True:
            alarm.reset()
            try:
                while await self.deliver(sink) == BATCH:
                    pass
            except SystemFault as fault:
                _log.warning("the outbox of events cannot be read or written", extra={"reason": str(fault)})
            await alarm.wait(RESYNC_SECONDS)

    async def deliver(self, sink: EventSink) -> int:
        """Give the sink its next events and return how many it took. An event that it does not take holds up the
        later ones of this sink, and is tried again after a while.

        :raises SystemFault: if the database does not answer
        """
        rows = await self._database.read(lambda connection: _next(connection, sink.name))
        taken: list[int] = []
        failure: tuple[Row[Any], str] | None = None
        for row in rows:
            if row.available_at > self._clock.now():
                break
            try:
                await sink.publish(_event(row))
            except Exception as error:  # noqa: BLE001 - a sink is foreign code: its fault is noted, the event is kept
                _log.warning("an event sink failed", extra={"sink": sink.name, "event": row.event_id}, exc_info=error)
                failure = (row, f"{type(error).__name__}: {error}")
                break
            taken.append(row.id)
        if taken or failure:
            await self._database.write(lambda connection: self._settle(connection, taken, failure))
        return len(taken)

    def _settle(self, connection: Connection, taken: Sequence[int], failure: tuple[Row[Any], str] | None) -> None:
        if taken:
            connection.execute(delete(event_outbox).where(event_outbox.c.id.in_(taken)))
        if failure is not None:
            row, reason = failure
            postpone(
                connection,
                event_outbox,
                row.id,
                failures=row.attempts,
                longest=LONGEST_DELAY,
                reason=reason,
                now=self._clock.now(),
            )


def _next(connection: Connection, sink: str) -> Sequence[Row[Any]]:
    query = select(event_outbox).where(event_outbox.c.sink == sink).order_by(event_outbox.c.id).limit(BATCH)
    return connection.execute(query).all()


def _event(row: Row[Any]) -> RecordedEvent:
    request = _MESSAGES[row.message_type].FromString(row.payload)
    return RecordedEvent(row.event_id, row.recorded_at, request)
