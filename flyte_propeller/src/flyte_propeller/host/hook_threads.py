"""Threads for plugins' pure hooks: a hook that blocks holds up its own task and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 0.02
"""How long the event loop stands still for a hook before it turns to other work. A hook takes far less as a rule, and
to be woken by the loop costs ten times as much as to wait (150 against 20 microseconds)."""


class HookThreads:
    """Runs callables in daemon threads, as many as there are calls at once."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []

    async def run(self, call: Callable[[], T], seconds: float) -> Future[T]:
        """Return the call's outcome, which is done.

        :raises TimeoutError: if it takes longer; its thread is left to itself
        """
        worker = self._idle.pop() if self._idle else _Worker()
        future = worker.submit(call)
        try:
            future.exception(PATIENCE_SECONDS)
        except TimeoutError:
            await _finished(worker, future, seconds)
        self._idle.append(worker)
        return future


async def _finished(worker: _Worker, future: Future[Any], seconds: float) -> None:
    waiting = asyncio.wrap_future(future)
    waiting.add_done_callback(_forget)
    try:
        async with asyncio.timeout(seconds):
            await asyncio.wait({waiting})
    except (TimeoutError, asyncio.CancelledError):
        worker.leave()
        raise


class _Worker:
    """One thread that takes one call at a time."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="plugin hooks", daemon=True).start()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._calls.put((call, future))
        return future

    def leave(self) -> None:
        """End the thread once its call is over."""
        self._calls.put(None)

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            call, future = item
            future.set_running_or_notify_cancel()
            try:
                answer = call()
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who is the border
                future.set_exception(error)
            else:
                future.set_result(answer)
            del item, call, future


def _forget(late: asyncio.Future[Any]) -> None:
    """Take the outcome of a call that nobody waits for, so that asyncio does not call it lost."""
    if not late.cancelled():
        late.exception()
