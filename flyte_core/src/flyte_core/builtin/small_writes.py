"""Small objects that are written at the same moment share one flush of the disk."""

from __future__ import annotations

import asyncio
import functools
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from flyte_core.builtin.file_tree import FileTree, Staged
from flyte_core.builtin.journal import LARGEST
from flyte_core.errors import FlyteError, Unavailable

LARGEST_BATCH = 256
"""Objects that share a flush, at most."""
JOURNAL_BYTES = 4 * 1024 * 1024
"""Size of a file of the journal at which it is closed."""
QUIET_SECONDS = 30.0
"""Without writes for so long, what is in the journal is flushed to its place."""
LEFT_BYTES = 256 * 1024
"""What the next process may have to look through: flushing the file system may wait for what others have written."""

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    staged: Staged
    future: asyncio.Future[None]


class SmallWrites:
    """Writes small objects through the journal of a tree: prepared and named in the event loop, where these calls cost
    some 10 µs each; only the flush is waited for, in a thread of its own.
    """

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._due: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._flusher: threading.Thread | None = None
        self._closed = False

    def takes(self, size: int) -> bool:
        """Tell whether an object of that size is to be written here."""
        return size <= LARGEST and not self._tree.journal.broken

    async def write(self, bucket: str, key: str, data: bytes) -> None:
        """Write an object; when this returns it is durable and there. It is written even when the caller is cancelled.

        :raises flyte_core.builtin.file_tree.StoreFull: if there is no room
        :raises Unavailable: if the disk cannot be written
        """
        if self._closed:
            raise Unavailable(f"{bucket}/{key} is not written: the store is closed")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(self._tree.stage(bucket, key, data), future)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="small-writes", daemon=True)
            self._thread.start()
        self._queue.put(waiting)
        await future

    def close(self) -> None:
        """Write what waits. To be called in the event loop, or after its end."""
        self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        self._finish_flush()
        if self._tree.journal.size > LEFT_BYTES:
            self._rotate()
            self._finish_flush()
        self._tree.journal.close()

    def _run(self) -> None:
        while True:
            batch, last = self._take()
            if batch:
                self._make_durable(batch)
            if last:
                return
            if self._tree.journal.size >= JOURNAL_BYTES or not batch:
                self._rotate()

    def _take(self) -> tuple[list[_Waiting], bool]:
        """Return what waits, or nothing after a quiet time, and whether it is the last."""
        batch: list[_Waiting] = []
        try:
            item = self._queue.get(timeout=QUIET_SECONDS if self._tree.journal.size else None)
            while item is not None:
                batch.append(item)
                if len(batch) == LARGEST_BATCH:
                    return batch, False
                item = self._queue.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _make_durable(self, batch: list[_Waiting]) -> None:
        fault: FlyteError | None = None
        try:
            with self._tree.translated("the journal"):
                self._tree.journal.append([waiting.staged.record for waiting in batch])
        except FlyteError as error:
            fault = error
        self._due.append(functools.partial(self._answer_all, batch, fault))
        loop = batch[0].future.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._settle)

    def _rotate(self) -> None:
        if self._flusher is not None and (self._flusher.ident is None or self._flusher.is_alive()):
            return
        finish = self._tree.journal.rotate()
        if finish is not None:
            self._flusher = threading.Thread(target=self._flush, args=(finish,), name="flush-small-writes", daemon=True)
            # Only once what is in the journal has its files.
            self._due.append(self._flusher.start)

    def _flush(self, finish: Callable[[], None]) -> None:
        try:
            with self._tree.translated("the journal"):
                finish()
        except FlyteError:
            _log.exception("the object store cannot be flushed; from now on each object is flushed by itself")

    def _finish_flush(self) -> None:
        self._settle()
        if self._flusher is not None:
            self._flusher.join()

    def _settle(self) -> None:
        while self._due:
            self._due.popleft()()

    def _answer_all(self, batch: Sequence[_Waiting], fault: FlyteError | None) -> None:
        for waiting in batch:
            self._answer(waiting, fault)

    def _answer(self, waiting: _Waiting, fault: FlyteError | None) -> None:
        if fault is None:
            try:
                self._tree.settle(waiting.staged)
            except FlyteError as error:
                fault = error
        else:
            waiting.staged.draft.discard()
        future = waiting.future
        if future.done() or future.get_loop().is_closed():
            return
        if fault is None:
            future.set_result(None)
        else:
            future.set_exception(fault)
