"""Brings a database to the schema of this program, and refuses one that a newer program has migrated."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from flyte_admin.db.database import Database
from flyte_core.errors import ConfigError

NEWEST = "0004"
"""Revision of the schema in :mod:`flyte_admin.db.schema`."""
MIGRATION_LOCK = 0x666C797465
"""Key of PostgreSQL's advisory lock: of several servers that start together, one migrates."""


async def migrate(database: Database) -> None:
    """Upgrade the schema in one transaction; nothing happens when it is the newest already.

    :raises ConfigError: if the database's schema is newer than this program
    :raises Unavailable: if the database does not answer
    """
    if await database.read(_revision) != NEWEST:
        await database.write(_upgrade)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from flyte_admin.db.migrations.alembic_runner import (  # noqa: PLC0415 - half a second, rarely needed
        known_revisions,
        upgrade_to_newest,
    )

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    found = _revision(connection)
    if found is not None and found not in known_revisions():
        raise ConfigError(
            f"database.url: the schema has revision {found!r}, this program knows up to {NEWEST!r}: "
            "use the newer program, or another database"
        )
    upgrade_to_newest(connection)
