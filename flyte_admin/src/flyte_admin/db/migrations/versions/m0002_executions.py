"""Executions, their nodes and tasks, signals, and the outboxes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "event_outbox",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.String(length=512), nullable=False),
        sa.Column("sink", sa.String(length=255), nullable=False),
        sa.Column("message_type", sa.String(length=255), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_outbox")),
    )
    op.create_index("ix_event_outbox_sink", "event_outbox", ["sink", "id"], unique=False)
    op.create_table(
        "workflow_outbox",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_project", sa.String(length=255), nullable=False),
        sa.Column("execution_domain", sa.String(length=255), nullable=False),
        sa.Column("execution_name", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_outbox")),
    )
    op.create_index("ix_workflow_outbox_available_at", "workflow_outbox", ["available_at"], unique=False)
    op.create_table(
        "executions",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_project", sa.String(length=255), nullable=False),
        sa.Column("execution_domain", sa.String(length=255), nullable=False),
        sa.Column("execution_name", sa.String(length=255), nullable=False),
        sa.Column("launch_plan_id", ROW_ID, nullable=True),
        sa.Column("workflow_id", ROW_ID, nullable=True),
        sa.Column("task_id", ROW_ID, nullable=True),
        sa.Column("phase", sa.String(length=32), nullable=False),
        sa.Column("closure", sa.LargeBinary(), nullable=False),
        sa.Column("spec", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=False),
        sa.Column("abort_cause", sa.Text(), nullable=False),
        sa.Column("mode", sa.Integer(), nullable=False),
        sa.Column("source_execution_id", ROW_ID, nullable=True),
        sa.Column("parent_node_execution_id", ROW_ID, nullable=True),
        sa.Column("cluster", sa.String(length=255), nullable=False),
        sa.Column("inputs_uri", sa.String(length=2048), nullable=False),
        sa.Column("user_inputs_uri", sa.String(length=2048), nullable=False),
        sa.Column("error_kind", sa.String(length=32), nullable=True),
        sa.Column("error_code", sa.String(length=255), nullable=True),
        sa.Column("user", sa.String(length=255), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("launch_entity", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["launch_plan_id"], ["launch_plans.id"], name=op.f("fk_executions_launch_plan_id")),
        sa.ForeignKeyConstraint(
            ["source_execution_id"], ["executions.id"], name=op.f("fk_executions_source_execution_id")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_executions_task_id")),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.id"], name=op.f("fk_executions_workflow_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executions")),
        sa.UniqueConstraint("execution_project", "execution_domain", "execution_name", name=op.f("uq_executions")),
    )
    op.create_index(op.f("ix_executions_launch_plan_id"), "executions", ["launch_plan_id"], unique=False)
    op.create_index(
        op.f("ix_executions_parent_node_execution_id"), "executions", ["parent_node_execution_id"], unique=False
    )
    op.create_index("ix_executions_phase", "executions", ["phase"], unique=False)
    op.create_index(
        "ix_executions_recent", "executions", ["execution_project", "execution_domain", "created_at"], unique=False
    )
    op.create_index(op.f("ix_executions_task_id"), "executions", ["task_id"], unique=False)
    op.create_index(op.f("ix_executions_workflow_id"), "executions", ["workflow_id"], unique=False)
    op.create_table(
        "execution_tags",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_project", sa.String(length=255), nullable=False),
        sa.Column("execution_domain", sa.String(length=255), nullable=False),
        sa.Column("execution_name", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_project", "execution_domain", "execution_name"],
            ["executions.execution_project", "executions.execution_domain", "executions.execution_name"],
            name=op.f("fk_execution_tags_execution_project"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution_tags")),
        sa.UniqueConstraint(
            "execution_project", "execution_domain", "execution_name", "key", "value", name=op.f("uq_execution_tags")
        ),
    )
    op.create_table(
        "node_executions",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_project", sa.String(length=255), nullable=False),
        sa.Column("execution_domain", sa.String(length=255), nullable=False),
        sa.Column("execution_name", sa.String(length=255), nullable=False),
        sa.Column("node_id", sa.String(length=255), nullable=False),
        sa.Column("phase", sa.String(length=32), nullable=False),
        sa.Column("input_uri", sa.String(length=2048), nullable=False),
        sa.Column("closure", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("node_execution_created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("node_execution_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=False),
        sa.Column("node_execution_metadata", sa.LargeBinary(), nullable=True),
        sa.Column("parent_id", ROW_ID, nullable=True),
        sa.Column("parent_task_execution_id", ROW_ID, nullable=True),
        sa.Column("error_kind", sa.String(length=32), nullable=True),
        sa.Column("error_code", sa.String(length=255), nullable=True),
        sa.Column("cache_status", sa.String(length=32), nullable=True),
        sa.Column("dynamic_workflow_remote_closure_reference", sa.String(length=2048), nullable=False),
        sa.Column("internal_data", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_project", "execution_domain", "execution_name"],
            ["executions.execution_project", "executions.execution_domain", "executions.execution_name"],
            name=op.f("fk_node_executions_execution_project"),
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["node_executions.id"], name=op.f("fk_node_executions_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node_executions")),
        sa.UniqueConstraint(
            "execution_project", "execution_domain", "execution_name", "node_id", name=op.f("uq_node_executions")
        ),
    )
    op.create_index(op.f("ix_node_executions_parent_id"), "node_executions", ["parent_id"], unique=False)
    op.create_index(
        op.f("ix_node_executions_parent_task_execution_id"),
        "node_executions",
        ["parent_task_execution_id"],
        unique=False,
    )
    op.create_table(
        "signals",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_project", sa.String(length=255), nullable=False),
        sa.Column("execution_domain", sa.String(length=255), nullable=False),
        sa.Column("execution_name", sa.String(length=255), nullable=False),
        sa.Column("signal_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["execution_project", "execution_domain", "execution_name"],
            ["executions.execution_project", "executions.execution_domain", "executions.execution_name"],
            name=op.f("fk_signals_execution_project"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint(
            "execution_project", "execution_domain", "execution_name", "signal_id", name=op.f("uq_signals")
        ),
    )
    op.create_table(
        "task_executions",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project", sa.String(length=255), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("execution_project", sa.String(length=255), nullable=False),
        sa.Column("execution_domain", sa.String(length=255), nullable=False),
        sa.Column("execution_name", sa.String(length=255), nullable=False),
        sa.Column("node_id", sa.String(length=255), nullable=False),
        sa.Column("retry_attempt", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=32), nullable=False),
        sa.Column("phase_version", sa.Integer(), nullable=False),
        sa.Column("input_uri", sa.String(length=2048), nullable=False),
        sa.Column("closure", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_execution_created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_execution_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_project", "execution_domain", "execution_name", "node_id"],
            [
                "node_executions.execution_project",
                "node_executions.execution_domain",
                "node_executions.execution_name",
                "node_executions.node_id",
            ],
            name=op.f("fk_task_executions_execution_project"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_executions")),
        sa.UniqueConstraint(
            "execution_project",
            "execution_domain",
            "execution_name",
            "node_id",
            "project",
            "domain",
            "name",
            "version",
            "retry_attempt",
            name=op.f("uq_task_executions"),
        ),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("task_executions")
    op.drop_table("signals")
    op.drop_index(op.f("ix_node_executions_parent_task_execution_id"), table_name="node_executions")
    op.drop_index(op.f("ix_node_executions_parent_id"), table_name="node_executions")
    op.drop_table("node_executions")
    op.drop_table("execution_tags")
    op.drop_index(op.f("ix_executions_workflow_id"), table_name="executions")
    op.drop_index(op.f("ix_executions_task_id"), table_name="executions")
    op.drop_index("ix_executions_recent", table_name="executions")
    op.drop_index("ix_executions_phase", table_name="executions")
    op.drop_index(op.f("ix_executions_parent_node_execution_id"), table_name="executions")
    op.drop_index(op.f("ix_executions_launch_plan_id"), table_name="executions")
    op.drop_table("executions")
    op.drop_index("ix_workflow_outbox_available_at", table_name="workflow_outbox")
    op.drop_table("workflow_outbox")
    op.drop_index("ix_event_outbox_sink", table_name="event_outbox")
    op.drop_table("event_outbox")
