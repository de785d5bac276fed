"""Tables of what is registered: projects, tasks, workflows, launch plans, and what describes them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text
from sqlalchemy import UniqueConstraint as Unique

from flyte_admin.db.columns import UtcTime, entity_columns, metadata, row_columns

ENTITY = ("project", "domain", "name", "version")

projects = Table(
    "projects",
    metadata,
    *row_columns(),
    Column("identifier", String(255), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("description", String(300), nullable=False, default=""),
    Column("labels", LargeBinary),  # an admin.Project that holds labels only, as upstream keeps them
    Column("state", Integer, nullable=False, default=0),
)

tasks = Table(
    "tasks",
    metadata,
    *row_columns(),
    *entity_columns(),
    Column("closure", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("type", String(255), nullable=False),
    Column("short_description", Text, nullable=False, default=""),
    Unique(*ENTITY),
    Index("ix_tasks_recent", "project", "domain", "name", "created_at"),
)

workflows = Table(
    "workflows",
    metadata,
    *row_columns(),
    *entity_columns(),
    Column("typed_interface", LargeBinary, nullable=False),
    Column("remote_closure_identifier", String(2048), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("short_description", Text, nullable=False, default=""),
    Unique(*ENTITY),
    Index("ix_workflows_recent", "project", "domain", "name", "created_at"),
)

launch_plans = Table(
    "launch_plans",
    metadata,
    *row_columns(),
    *entity_columns(),
    Column("spec", LargeBinary, nullable=False),
    Column("workflow_id", ForeignKey("workflows.id"), nullable=False, index=True),
    Column("closure", LargeBinary, nullable=False),
    Column("state", Integer, nullable=False, default=0),
    Column("digest", LargeBinary, nullable=False),
    Column("schedule_type", String(16), nullable=False, default="NONE"),
    Column("launch_condition_type", String(32)),
    Unique(*ENTITY),
    Index("ix_launch_plans_recent", "project", "domain", "name", "created_at"),
    Index(  # of each name one version is active
        "ix_launch_plans_active",
        "project",
        "domain",
        "name",
        unique=True,
        sqlite_where=text("state = 1"),
        postgresql_where=text("state = 1"),
    ),
)

named_entity_metadata = Table(
    "named_entity_metadata",
    metadata,
    *row_columns(),
    Column("resource_type", Integer, nullable=False),
    Column("project", String(255), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("description", String(300), nullable=False, default=""),
    Column("state", Integer, nullable=False, default=0),
    Unique("resource_type", "project", "domain", "name"),
)

description_entities = Table(
    "description_entities",
    metadata,
    *row_columns(),
    Column("resource_type", Integer, nullable=False),
    *entity_columns(),
    Column("short_description", Text, nullable=False, default=""),
    Column("long_description", LargeBinary),
    Column("link", Text, nullable=False, default=""),
    Unique("resource_type", *ENTITY),
)

resources = Table(
    "resources",
    metadata,
    *row_columns(),
    Column("project", String(255), nullable=False, default=""),
    Column("domain", String(255), nullable=False, default=""),
    Column("workflow", String(255), nullable=False, default=""),
    Column("launch_plan", String(255), nullable=False, default=""),
    Column("resource_type", String(64), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("attributes", LargeBinary, nullable=False),
    Unique("project", "domain", "workflow", "launch_plan", "resource_type"),
)

schedulable_entities = Table(
    "schedulable_entities",
    metadata,
    *row_columns(),
    *entity_columns(),
    Column("cron_expression", String(255), nullable=False, default=""),
    Column("fixed_rate_value", BigInteger, nullable=False, default=0),
    Column("unit", Integer, nullable=False, default=0),
    Column("kickoff_time_input_arg", String(255), nullable=False, default=""),
    Column("active", Boolean, nullable=False, default=False),
    Column("activated_at", UtcTime),  # fixed rates count from here
    Column("settled_until", UtcTime),  # every time up to this one was started, skipped or given up
    Column("attempts", Integer, nullable=False, default=0),  # to start an execution for the next time
    Column("available_at", UtcTime),  # the next time is not to be tried before
    Column("error", Text, nullable=False, default=""),  # of the last attempt
    Unique(*ENTITY),
)
