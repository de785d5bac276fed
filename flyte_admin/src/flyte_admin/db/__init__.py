"""The database of the control plane: one writer, a pool of readers, the schema and its migrations."""

from flyte_admin.db.database import Database

__all__ = ["Database"]
