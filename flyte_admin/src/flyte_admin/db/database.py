"""Reads in a pool of threads; writes in one thread that commits whatever waits together.

A commit costs a disk flush. While one is under way, the writes that arrive wait; the next transaction takes all of
them, each under a savepoint of its own, so that throughput grows with the load while each caller still hears only
after its change is durable.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from flyte_admin.db.engines import Savepoint, create_private_file, parse_url, reading_engine, translate, writing_engine
from flyte_core.errors import TooLarge, Unavailable

T = TypeVar("T")
Query = Callable[[Connection], T]

LARGEST_BATCH = 256
"""Writes that share one commit, at most: bounds what one failed commit takes with it."""


class _Write(Generic[T]):
    """One queued write, its future, and its outcome once it ran."""

    __slots__ = ("failure", "future", "query", "result")

    def __init__(self, query: Query[T], future: asyncio.Future[T]) -> None:
        self.query = query
        self.future = future
        self.result: T | None = None
        self.failure: BaseException | None = None


class Database:
    """One database, SQLite or PostgreSQL, for one event loop.

    The functions handed in run in another thread and get a SQLAlchemy connection; they must not commit, and touch
    nothing but their arguments and immutable state. Faults of the driver come back as errors of
    :mod:`flyte_core.errors`.

    :param url: ``sqlite:///path`` or ``postgresql://user@host/name``
    :param readers: number of reading threads
    :param queue_limit: writes that may wait; one more is refused with :class:`TooLarge`
    :raises ConfigError: if the URL is of another kind or its file cannot be opened
    """

    def __init__(self, url: str, *, readers: int = 4, queue_limit: int = 10_000) -> None:
        self.url = parse_url(url)
        create_private_file(self.url)
        self._reading = reading_engine(self.url, readers)
        self._writing = writing_engine(self.url)
        self._driver_error: type[Exception] = self._writing.dialect.loaded_dbapi.Error
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="db-read")
        self._queue_limit = queue_limit
        self._queue: deque[_Write[Any]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._writer = threading.Thread(target=self._write_loop, name="db-write", daemon=True)
        self._writer.start()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.url.get_backend_name()

    async def read(self, query: Query[T]) -> T:
        """Run ``query`` on a reading thread. Each statement sees what was committed before it began.

        :raises Unavailable: if the database does not answer
        """
        self._refuse_when_closed()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run_read, query)

    async def write(self, query: Query[T]) -> T:
        """Run ``query`` within a transaction and return its result once that is committed.

        Writes run in the order of the calls. If ``query`` raises, only its own changes are undone and the error comes
        back. When the caller is cancelled while the write waits, it is left out; later, it is committed unheard.

        :raises TooLarge: if the queue is full
        :raises Unavailable: if the database does not answer; then nothing of this write is stored
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._wake:
            self._refuse_when_closed()
            if len(self._queue) >= self._queue_limit:
                raise TooLarge(f"{len(self._queue)} writes wait for the database (database.queue_limit); try later")
            self._queue.append(_Write(query, future))
            self._wake.notify()
        return await future

    async def close(self) -> None:
        """Commit what is queued and close every connection. Later calls raise :class:`Unavailable`."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._pool.shutdown)
        self._reading.dispose()
        self._writing.dispose()

    def _refuse_when_closed(self) -> None:
        if self._closing:
            raise Unavailable("the database is closed: the server is stopping")

    def _run_read(self, query: Query[T]) -> T:
        try:
            with self._reading.connect() as connection:
                return query(connection)
        except SQLAlchemyError as error:
            raise translate(error) from error

    def _write_loop(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    return
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), LARGEST_BATCH))]
            batch = [write for write in batch if not write.future.cancelled()]
            if not batch:
                continue
            try:
                self._commit(batch)
            except (SQLAlchemyError, self._driver_error) as error:
                _fail_all(batch, error)
            _answer(batch)

    def _commit(self, batch: list[_Write[Any]]) -> None:
        with self._writing.connect() as connection:
            transaction = connection.begin()
            if len(batch) == 1:  # its savepoint would be the transaction
                _run(batch[0], connection)
                if batch[0].failure is not None:
                    transaction.rollback()
                    return
            else:
                _run_each(batch, connection)
            transaction.commit()


def _run_each(batch: list[_Write[Any]], connection: Connection) -> None:
    """Run the writes, undoing those that fail. Where the database has dropped the whole transaction (disk full), a
    statement about the savepoint raises, and all of them are failed.
    """
    savepoint = Savepoint(connection)
    for write in batch:
        _run(write, connection)
        if write.failure is not None:
            savepoint.undo()
        elif write is not batch[-1]:
            savepoint.advance()


def _run(write: _Write[Any], connection: Connection) -> None:
    try:
        write.result = write.query(connection)
    except SQLAlchemyError as error:
        write.failure = translate(error)
        write.failure.__cause__ = error
    except Exception as error:  # noqa: BLE001 - handed over to the caller in the other thread, which raises it
        write.failure = error


def _fail_all(batch: list[_Write[Any]], error: Exception) -> None:
    for write in batch:
        fault = Unavailable(f"the change was not committed: {translate(error)}")
        fault.__cause__ = error
        write.failure = write.failure or fault


def _answer(batch: list[_Write[Any]]) -> None:
    """Hand the outcomes over, with one wake-up per event loop; a loop that is gone has nobody left to tell."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Write[Any]]] = {}
    for write in batch:
        by_loop.setdefault(write.future.get_loop(), []).append(write)
    for loop, writes in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, writes)


def _resolve(batch: list[_Write[Any]]) -> None:
    for write in batch:
        if write.future.done():
            continue
        if write.failure is not None:
            write.future.set_exception(write.failure)
        else:
            write.future.set_result(write.result)
