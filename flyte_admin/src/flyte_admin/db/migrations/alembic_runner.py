"""Runs Alembic from code. Importing Alembic takes half a second, which is why this is a module of its own."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

SCRIPTS = Path(__file__).parent


def known_revisions() -> set[str]:
    """Return the revisions that this program has migrations for."""
    return {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}


def upgrade_to_newest(connection: Connection) -> None:
    """Bring the schema of ``connection`` to the newest revision, within its transaction."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
