"""Column types and groups of columns that several tables share.

Column names are API: clients filter and sort by them (upstream's names, unchanged).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Dialect, Integer, MetaData, String, TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""Type of ``id``; SQLite counts rows only in its own INTEGER."""


class UtcTime(TypeDecorator[datetime]):
    """An instant: aware in Python, always UTC in the database, to the microsecond."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they would mean another instant on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant as an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def row_columns() -> list[Column[Any]]:
    """The columns that every table has: surrogate key and times (set on insert and update unless given)."""
    return [
        Column("id", ROW_ID, primary_key=True, autoincrement=True),
        Column("created_at", UtcTime, nullable=False, default=_now),
        Column("updated_at", UtcTime, nullable=False, default=_now, onupdate=_now),
        Column("deleted_at", UtcTime),
    ]


def entity_columns() -> list[Column[Any]]:
    """Project, domain, name and version of a registered entity."""
    return [Column(name, String(255), nullable=False) for name in ("project", "domain", "name", "version")]


def execution_columns() -> list[Column[Any]]:
    """The three parts of an execution's identifier."""
    return [
        Column("execution_project", String(255), nullable=False),
        Column("execution_domain", String(255), nullable=False),
        Column("execution_name", String(255), nullable=False),
    ]
