"""Sequences of events from many executions, recorded together: what arrives during one commit shares the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from flyte_admin.db.database import Database
from flyte_admin.executions.ledger import PreparedEvent
from flyte_admin.executions.outcomes import EventOutcome

LARGEST_BATCH = 512
"""Events that share one set of statements, unless a single sequence has more."""

Apply = Callable[[Connection, Sequence[Sequence[PreparedEvent]]], list[list[EventOutcome]]]
"""Records several sequences in a transaction and returns the outcomes of each."""


@dataclass(eq=False, slots=True)
class _Waiting:
    events: Sequence[PreparedEvent]
    done: asyncio.Future[list[EventOutcome]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class RecordingQueue:
    """Takes sequences in order of arrival and records them in batches. A sequence that breaks its batch is recorded
    alone, so that it fails nobody else's.
    """

    def __init__(self, database: Database, apply: Apply) -> None:
        self._database = database
        self._apply = apply
        self._waiting: deque[_Waiting] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def put(self, events: Sequence[PreparedEvent]) -> list[EventOutcome]:
        """Record one sequence and return its outcomes once they are durable.

        :raises Unavailable: if the database does not answer; then none is recorded
        """
        waiting = _Waiting(events)
        self._waiting.append(waiting)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._drain(), name="record-events")
        return await waiting.done

    async def _drain(self) -> None:
        while self._waiting:
            batch = self._take()
            try:
                outcomes = await self._write(batch)
            except Exception:  # noqa: BLE001 - whatever it is, each caller hears of its own sequence below
                await self._one_by_one(batch)
            else:
                for waiting, result in zip(batch, outcomes, strict=True):
                    _resolve(waiting, result)

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].events) <= LARGEST_BATCH):
            waiting = self._waiting.popleft()
            if not waiting.done.cancelled():
                batch.append(waiting)
                size += len(waiting.events)
        return batch

    async def _write(self, batch: Sequence[_Waiting]) -> list[list[EventOutcome]]:
        sequences = [waiting.events for waiting in batch]
        return await self._database.write(lambda connection: self._apply(connection, sequences))

    async def _one_by_one(self, batch: Sequence[_Waiting]) -> None:
        for waiting in batch:
            try:
                (outcomes,) = await self._write([waiting])
            except Exception as error:  # noqa: BLE001 - handed over to the caller
                if not waiting.done.done():
                    waiting.done.set_exception(error)
            else:
                _resolve(waiting, outcomes)


def _resolve(waiting: _Waiting, outcomes: list[EventOutcome]) -> None:
    if not waiting.done.done():
        waiting.done.set_result(outcomes)
