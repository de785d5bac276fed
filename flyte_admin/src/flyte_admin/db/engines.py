"""Engines for the two databases served, from one URL: how connections are set up and how faults are translated."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from flyte_core.errors import AlreadyExists, ConfigError, FlyteError, InvalidInput, SystemFault, Unavailable

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for a lock that another process holds before the statement fails."""


class DatabaseFault(SystemFault):
    """The database refused a statement: a fault of this program or of the schema, not of the request."""


def parse_url(url: str) -> URL:
    """Return the URL with the driver that we use.

    :raises ConfigError: unless it is ``sqlite:///path`` (a file) or ``postgresql://…``
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("database.url is not a URL; give sqlite:///path/to/file or postgresql://…") from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise ConfigError("database.url: SQLite needs a file, as in sqlite:////var/lib/flyte/admin.db")
            return parsed.set(drivername="sqlite")
        case "postgresql":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ConfigError(f"database.url: {other!r} is not served; give sqlite:///… or postgresql://…")


def reading_engine(url: URL, threads: int) -> Engine:
    """Return an engine whose connections read: each statement on its own, without a transaction around."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, threads, begin=None, query_only=True)
    return create_engine(url, pool_size=threads, max_overflow=0, isolation_level="AUTOCOMMIT")


def writing_engine(url: URL) -> Engine:
    """Return an engine for the one writing thread; a SQLite transaction takes its lock at once (no upgrades)."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, 1, begin="BEGIN IMMEDIATE", query_only=False)
    return create_engine(url, pool_size=1, max_overflow=0)


def _sqlite(url: URL, threads: int, *, begin: str | None, query_only: bool) -> Engine:
    engine = create_engine(
        url, pool_size=threads, max_overflow=0, connect_args={"check_same_thread": False, "cached_statements": 512}
    )

    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours: the driver would begin late and without IMMEDIATE
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "case_sensitive_like=ON",  # as PostgreSQL
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", set_up)
    if begin is not None:

        def start(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        event.listen(engine, "begin", start)
    return engine


class Savepoint:
    """One savepoint that moves forward through a transaction, on the driver's connection.

    SQLAlchemy's own costs a savepoint and a release for each step; here PostgreSQL gets both in one message.
    """

    def __init__(self, connection: Connection) -> None:
        self._driver = connection.connection.driver_connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._execute("SAVEPOINT write")

    def advance(self) -> None:
        """Keep what was done since, and be here."""
        if self._is_sqlite:
            self._execute("RELEASE SAVEPOINT write")
            self._execute("SAVEPOINT write")
        else:
            self._execute("RELEASE SAVEPOINT write; SAVEPOINT write")

    def undo(self) -> None:
        """Undo what was done since; the savepoint stays where it is."""
        self._execute("ROLLBACK TO SAVEPOINT write")

    def _execute(self, statement: str) -> None:
        driver: Any = self._driver
        if self._is_sqlite:
            driver.execute(statement)
        else:
            driver.execute(statement, prepare=False)


def create_private_file(url: URL) -> None:
    """Create the SQLite file readable by its owner only, where it does not exist yet; PostgreSQL needs nothing.

    :raises ConfigError: if the folder is missing or not writable
    """
    if url.get_backend_name() != "sqlite" or url.database is None:
        return
    try:
        os.close(os.open(url.database, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigError(f"database.url: cannot open {url.database!r}: {error.strerror}") from error


def translate(error: Exception) -> FlyteError:
    """Return what a fault of the database means to the caller.

    Upstream's rule: a unique violation is ALREADY_EXISTS. A database which does not answer, is locked or full is
    :class:`Unavailable`.
    """
    if isinstance(error, IntegrityError) and _is_unique_violation(error):
        return AlreadyExists(f"value with matching already exists ({_driver_text(error)})")
    if isinstance(error, OperationalError | PoolTimeout) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return Unavailable(f"the database does not answer: {_driver_text(error)}")
    if isinstance(error, DataError):  # PostgreSQL is stricter than SQLite: NUL, length, range
        return InvalidInput(f"a value of the request cannot be stored: {_driver_text(error)}")
    return DatabaseFault(f"failed database operation: {_driver_text(error)}")


def _is_unique_violation(error: IntegrityError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return bool(state == "23505")
    return "UNIQUE constraint" in str(error.orig)


def _driver_text(error: Exception) -> str:
    """The driver's own words, without the statement and its parameters: those may hold users' data."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return str(origin).splitlines()[0][:256] if str(origin) else type(origin).__name__
