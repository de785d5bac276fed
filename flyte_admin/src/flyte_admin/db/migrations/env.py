"""What Alembic runs around a migration: everything within the transaction of the connection that the caller gives."""

from alembic import context

from flyte_admin.db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
