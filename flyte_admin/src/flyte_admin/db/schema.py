"""All tables, by name. The columns are upstream's (its filters and sort keys are column names).

Beyond upstream there are three outboxes: what a transaction decided and what still has to be done outside, written
in that same transaction.
"""

from flyte_admin.db.catalog_tables import (
    artifact_data,
    artifact_partitions,
    artifact_tags,
    artifacts,
    datasets,
    reservations,
)
from flyte_admin.db.columns import metadata
from flyte_admin.db.execution_tables import (
    event_outbox,
    execution_tags,
    executions,
    node_executions,
    notification_outbox,
    signals,
    task_executions,
    workflow_outbox,
)
from flyte_admin.db.registry_tables import (
    description_entities,
    launch_plans,
    named_entity_metadata,
    projects,
    resources,
    schedulable_entities,
    tasks,
    workflows,
)

__all__ = [
    "artifact_data",
    "artifact_partitions",
    "artifact_tags",
    "artifacts",
    "datasets",
    "description_entities",
    "event_outbox",
    "execution_tags",
    "executions",
    "launch_plans",
    "metadata",
    "named_entity_metadata",
    "node_executions",
    "notification_outbox",
    "projects",
    "reservations",
    "resources",
    "schedulable_entities",
    "signals",
    "task_executions",
    "tasks",
    "workflow_outbox",
    "workflows",
]
