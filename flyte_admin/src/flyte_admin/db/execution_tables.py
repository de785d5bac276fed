"""Tables of what runs: executions, their nodes and tasks, signals, and the three outboxes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)
from sqlalchemy import UniqueConstraint as Unique

from flyte_admin.db.columns import ROW_ID, UtcTime, entity_columns, execution_columns, metadata, row_columns

EXECUTION = ("execution_project", "execution_domain", "execution_name")


def _of_execution() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(EXECUTION, [f"executions.{column}" for column in EXECUTION])


executions = Table(
    "executions",
    metadata,
    *row_columns(),
    *execution_columns(),
    Column("launch_plan_id", ForeignKey("launch_plans.id"), index=True),
    Column("workflow_id", ForeignKey("workflows.id"), index=True),
    Column("task_id", ForeignKey("tasks.id"), index=True),
    Column("phase", String(32), nullable=False, default="UNDEFINED"),  # the enum's name
    Column("closure", LargeBinary, nullable=False),
    Column("spec", LargeBinary, nullable=False),
    Column("started_at", UtcTime),
    Column("execution_created_at", UtcTime),
    Column("execution_updated_at", UtcTime),
    Column("duration", BigInteger, nullable=False, default=0),  # nanoseconds
    Column("abort_cause", Text, nullable=False, default=""),
    Column("mode", Integer, nullable=False, default=0),
    Column("source_execution_id", ForeignKey("executions.id")),
    Column("parent_node_execution_id", ROW_ID, index=True),  # of node_executions; a key there would be a cycle
    Column("cluster", String(255), nullable=False, default=""),
    Column("inputs_uri", String(2048), nullable=False, default=""),
    Column("user_inputs_uri", String(2048), nullable=False, default=""),
    Column("error_kind", String(32)),
    Column("error_code", String(255)),
    Column("user", String(255), nullable=False, default=""),
    Column("state", Integer, nullable=False, default=0),
    Column("launch_entity", String(32), nullable=False, default=""),
    Unique(*EXECUTION),
    Index("ix_executions_recent", "execution_project", "execution_domain", "created_at"),
    Index("ix_executions_phase", "phase"),
)

execution_tags = Table(
    "execution_tags",
    metadata,
    *row_columns(),
    *execution_columns(),
    Column("key", String(255), nullable=False),
    Column("value", String(255), nullable=False, default=""),
    Unique(*EXECUTION, "key", "value"),
    _of_execution(),
)

node_executions = Table(
    "node_executions",
    metadata,
    *row_columns(),
    *execution_columns(),
    Column("node_id", String(255), nullable=False),
    Column("phase", String(32), nullable=False),  # the enum's name
    Column("input_uri", String(2048), nullable=False, default=""),
    Column("closure", LargeBinary, nullable=False),
    Column("started_at", UtcTime),
    Column("node_execution_created_at", UtcTime),
    Column("node_execution_updated_at", UtcTime),
    Column("duration", BigInteger, nullable=False, default=0),  # nanoseconds
    Column("node_execution_metadata", LargeBinary),
    Column("parent_id", ForeignKey("node_executions.id"), index=True),
    Column("parent_task_execution_id", ROW_ID, index=True),  # of task_executions; a key there would be a cycle
    Column("error_kind", String(32)),
    Column("error_code", String(255)),
    Column("cache_status", String(32)),
    Column("dynamic_workflow_remote_closure_reference", String(2048), nullable=False, default=""),
    Column("internal_data", LargeBinary),
    Unique(*EXECUTION, "node_id"),
    _of_execution(),
)

task_executions = Table(
    "task_executions",
    metadata,
    *row_columns(),
    *entity_columns(),
    *execution_columns(),
    Column("node_id", String(255), nullable=False),
    Column("retry_attempt", Integer, nullable=False),
    Column("phase", String(32), nullable=False),  # the enum's name
    Column("phase_version", Integer, nullable=False, default=0),
    Column("input_uri", String(2048), nullable=False, default=""),
    Column("closure", LargeBinary, nullable=False),
    Column("started_at", UtcTime),
    Column("task_execution_created_at", UtcTime),
    Column("task_execution_updated_at", UtcTime),
    Column("duration", BigInteger, nullable=False, default=0),  # nanoseconds
    Unique(*EXECUTION, "node_id", "project", "domain", "name", "version", "retry_attempt"),
    ForeignKeyConstraint(
        (*EXECUTION, "node_id"), [*(f"node_executions.{column}" for column in EXECUTION), "node_executions.node_id"]
    ),
)

signals = Table(
    "signals",
    metadata,
    *row_columns(),
    *execution_columns(),
    Column("signal_id", String(255), nullable=False),
    Column("type", LargeBinary, nullable=False),
    Column("value", LargeBinary),
    Unique(*EXECUTION, "signal_id"),
    _of_execution(),
)

workflow_outbox = Table(
    "workflow_outbox",
    metadata,
    *row_columns(),
    *execution_columns(),
    Column("action", String(16), nullable=False),  # CREATE or TERMINATE
    Column("payload", LargeBinary),
    Column("attempts", Integer, nullable=False, default=0),
    Column("available_at", UtcTime, nullable=False),  # not to be tried before
    Column("error", Text, nullable=False, default=""),  # of the last attempt
    Index("ix_workflow_outbox_available_at", "available_at"),
)

event_outbox = Table(
    "event_outbox",
    metadata,
    *row_columns(),
    Column("event_id", String(512), nullable=False),
    Column("sink", String(255), nullable=False),
    Column("message_type", String(255), nullable=False),  # full name of the protobuf message
    Column("payload", LargeBinary, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("available_at", UtcTime, nullable=False),
    Column("error", Text, nullable=False, default=""),
    Index("ix_event_outbox_sink", "sink", "id"),
)

notification_outbox = Table(
    "notification_outbox",
    metadata,
    *row_columns(),
    *execution_columns(),
    Column("phase", String(32), nullable=False),  # the enum's name; the execution has ended with it
    Column("notification", LargeBinary, nullable=False),  # an admin.Notification
    Column("attempts", Integer, nullable=False, default=0),
    Column("available_at", UtcTime, nullable=False),  # not to be tried before
    Column("error", Text, nullable=False, default=""),  # of the last attempt
    _of_execution(),
    Index("ix_notification_outbox_available_at", "available_at"),
)
