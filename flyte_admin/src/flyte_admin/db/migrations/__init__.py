"""Migrations of the schema, oldest first; Alembic runs them from code."""
