"""Requests that arrive while the database is busy share the next trip to it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

LARGEST_BATCH = 512
"""Weight of one batch, unless a single item has more."""


class Batcher(Generic[T, R]):
    """Answers items in order of arrival, several with one call. An item whose batch fails is tried again alone, so
    that it fails nobody else.

    An item is never answered from a call that began before it arrived.

    :param answer: takes items and returns one result each
    :param weigh: how much an item adds to a batch
    """

    def __init__(
        self, answer: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, weigh: Callable[[T], int] = lambda _item: 1
    ) -> None:
        self._answer = answer
        self._weigh = weigh
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def put(self, item: T) -> R:
        """Return the item's result, or raise what ``answer`` raised for it alone."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._drain(), name="batch")
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            batch = self._take()
            try:
                results = await self._answer([item for item, _ in batch])
            except Exception:  # noqa: BLE001 - whatever it is, each caller hears of its own item below
                await self._one_by_one(batch)
            else:
                for (_, future), result in zip(batch, results, strict=True):
                    if not future.done():
                        future.set_result(result)

    def _take(self) -> list[tuple[T, asyncio.Future[R]]]:
        batch: list[tuple[T, asyncio.Future[R]]] = []
        weight = 0
        while self._waiting:
            added = self._weigh(self._waiting[0][0])
            if batch and weight + added > LARGEST_BATCH:
                break
            item, future = self._waiting.popleft()
            if not future.cancelled():
                batch.append((item, future))
                weight += added
        return batch

    async def _one_by_one(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        for item, future in batch:
            try:
                (result,) = await self._answer([item])
            except Exception as error:  # noqa: BLE001 - handed over to the caller
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)
