"""Queries on SQLite files."""

from flyte_kit.extras.sqlite3.task import SQLite3Config, SQLite3Task

__all__ = ["SQLite3Config", "SQLite3Task"]
