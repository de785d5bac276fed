"""The database: reads, group commit, what fails with whom, and migrations."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, column, insert, select, table, text

from flyte_admin.db import Database
from flyte_admin.db.migrate import migrate
from flyte_admin.db.migrations.alembic_runner import SCRIPTS
from flyte_admin.db.schema import metadata, projects, schedulable_entities
from flyte_core.errors import AlreadyExists, ConfigError, TooLarge, Unavailable


def adding(identifier: str) -> Callable[[Connection], str]:
    def add(connection: Connection) -> str:
        connection.execute(insert(projects).values(identifier=identifier, name=identifier))
        return identifier

    return add


def identifiers(connection: Connection) -> list[str]:
    return list(connection.execute(select(projects.c.identifier).order_by(projects.c.id)).scalars())


async def test_writes_run_in_the_order_of_the_calls_and_are_read_after(database: Database) -> None:
    names = [f"p{number}" for number in range(300)]
    assert await asyncio.gather(*(database.write(adding(name)) for name in names)) == names
    assert await database.read(identifiers) == names


async def test_one_failing_write_leaves_the_others_of_its_commit_alone(database: Database) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(insert(projects).values(identifier="half", name="half"))
        raise ZeroDivisionError

    gate = threading.Event()
    blocking = asyncio.create_task(database.write(lambda _: gate.wait()))
    await asyncio.sleep(0.05)
    writes = [database.write(query) for query in (adding("a"), broken, adding("a"), adding("b"))]
    waiting = asyncio.gather(*writes, return_exceptions=True)
    await asyncio.sleep(0)
    gate.set()
    await blocking
    first, second, third, fourth = await waiting
    assert (first, fourth) == ("a", "b")
    assert isinstance(second, ZeroDivisionError)
    assert isinstance(third, AlreadyExists)
    assert await database.read(identifiers) == ["a", "b"]


async def test_a_transaction_that_the_database_drops_fails_all_of_its_writes_and_no_later_one(
    database: Database,
) -> None:
    gate = threading.Event()
    blocking = asyncio.create_task(database.write(lambda _: gate.wait()))
    await asyncio.sleep(0.05)
    dropping = database.write(lambda connection: connection.exec_driver_sql("ROLLBACK"))  # as SQLite when disks fill
    waiting = asyncio.gather(database.write(adding("a")), dropping, database.write(adding("b")), return_exceptions=True)
    await asyncio.sleep(0)
    gate.set()
    await blocking
    outcomes = await waiting
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert await database.write(adding("c")) == "c"
    assert await database.read(identifiers) == ["c"]


async def test_a_write_alone_that_fails_leaves_nothing(database: Database) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(insert(projects).values(identifier="half", name="half"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(broken)
    assert await database.read(identifiers) == []


async def test_a_full_queue_refuses(database_url: str) -> None:
    database = Database(database_url, queue_limit=2)
    gate = threading.Event()
    blocking = asyncio.create_task(database.write(lambda _: gate.wait()))
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(database.write(lambda _: None)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TooLarge, match="queue_limit"):
        await database.write(lambda _: None)
    gate.set()
    await asyncio.gather(blocking, *waiting)
    await database.close()


async def test_a_write_cancelled_while_it_waits_is_left_out(database: Database) -> None:
    gate = threading.Event()
    blocking = asyncio.create_task(database.write(lambda _: gate.wait()))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(database.write(adding("a")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    gate.set()
    await blocking
    assert await database.read(identifiers) == []


async def test_closing_commits_what_is_queued_and_then_refuses(database_url: str) -> None:
    database = Database(database_url)
    await migrate(database)
    written = asyncio.create_task(database.write(adding("a")))
    await asyncio.sleep(0)
    await database.close()
    assert await written == "a"
    with pytest.raises(Unavailable, match="stopping"):
        await database.write(adding("b"))


async def test_sqlite_is_durable_private_and_checks_foreign_keys(tmp_path: Path) -> None:
    path = tmp_path / "admin.db"
    database = Database(f"sqlite:///{path}")
    pragmas = await database.write(
        lambda c: [
            c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    )
    await database.close()
    assert pragmas == ["wal", 2, 1]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_migrations_make_the_schema(tmp_path: Path, empty_postgresql: Callable[[], str]) -> None:
    for url in (f"sqlite:///{tmp_path / 'admin.db'}", empty_postgresql()):
        database = Database(url)
        await migrate(database)
        await migrate(database)
        difference = await database.read(
            lambda connection: compare_metadata(MigrationContext.configure(connection), metadata)
        )
        await database.close()
        assert difference == []


async def test_schedules_that_were_active_before_there_was_a_scheduler_begin_now(
    tmp_path: Path, empty_postgresql: Callable[[], str]
) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    values = {"project": "p", "domain": "d", "name": "n", "version": "v", "active": True, "created_at": long_ago}
    values |= {"updated_at": long_ago, "cron_expression": "* * * * *", "fixed_rate_value": 0, "unit": 0}
    values |= {"kickoff_time_input_arg": ""}
    old_table = table("schedulable_entities", *(column(name, schedulable_entities.c[name].type) for name in values))
    columns = schedulable_entities.c
    for url in (f"sqlite:///{tmp_path / 'admin.db'}", empty_postgresql()):
        database = Database(url)
        await database.write(lambda connection: _go_to(connection, "0003"))
        await database.write(lambda connection: connection.execute(insert(old_table).values(values)) and None)
        await migrate(database)
        row = await database.read(
            lambda connection: connection.execute(select(columns.activated_at, columns.settled_until)).one()
        )
        assert row.activated_at == row.settled_until
        assert abs(datetime.now(UTC) - row.settled_until) < timedelta(minutes=5)
        await database.write(lambda connection: _go_to(connection, "-1"))
        await migrate(database)
        await database.close()


def _go_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    if revision.startswith("-"):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


async def test_a_schema_of_a_newer_program_is_refused(database: Database) -> None:
    await database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(ConfigError, match="9999"):
        await migrate(database)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "no url", "sqlite:////nowhere/at/all.db"])
def test_another_url_is_refused_with_the_name_of_the_setting(url: str) -> None:
    with pytest.raises(ConfigError, match=r"database\.url"):
        Database(url)
