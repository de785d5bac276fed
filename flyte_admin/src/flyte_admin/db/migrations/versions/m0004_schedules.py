"""What the scheduler has dealt with, and the outbox of notifications."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLE = "schedulable_entities"
_TIME = sa.DateTime(timezone=True)
_EXECUTION = ["execution_project", "execution_domain", "execution_name"]


def upgrade() -> None:
    """Add the columns and the table. Schedules that are active begin now: none was run before."""
    op.add_column(_TABLE, sa.Column("activated_at", _TIME, nullable=True))
    op.add_column(_TABLE, sa.Column("settled_until", _TIME, nullable=True))
    op.add_column(_TABLE, sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(_TABLE, sa.Column("available_at", _TIME, nullable=True))
    op.add_column(_TABLE, sa.Column("error", sa.Text(), nullable=False, server_default=""))
    entities = sa.table(_TABLE, sa.column("activated_at", _TIME), sa.column("settled_until", _TIME))
    now = datetime.now(UTC).replace(tzinfo=None) if op.get_bind().dialect.name == "sqlite" else datetime.now(UTC)
    op.execute(entities.update().values(activated_at=now, settled_until=now))
    op.drop_table("schedule_entities_snapshots")
    op.create_table(
        "notification_outbox",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, _TIME, nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("deleted_at", _TIME, nullable=True),
        *(sa.Column(name, sa.String(length=255), nullable=False) for name in _EXECUTION),
        sa.Column("phase", sa.String(length=32), nullable=False),
        sa.Column("notification", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("available_at", _TIME, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            _EXECUTION,
            [f"executions.{name}" for name in _EXECUTION],
            name=op.f("fk_notification_outbox_execution_project"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_outbox")),
    )
    op.create_index("ix_notification_outbox_available_at", "notification_outbox", ["available_at"], unique=False)


def downgrade() -> None:
    """Drop what was added, and make the table of snapshots again."""
    op.drop_index("ix_notification_outbox_available_at", table_name="notification_outbox")
    op.drop_table("notification_outbox")
    op.create_table(
        "schedule_entities_snapshots",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, _TIME, nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_entities_snapshots")),
    )
    for name in ("error", "available_at", "attempts", "settled_until", "activated_at"):
        op.drop_column(_TABLE, name)
