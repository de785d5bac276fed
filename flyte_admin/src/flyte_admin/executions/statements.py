"""The statements behind event recording, built once: their compiled form is cached, only values change."""

from __future__ import annotations

from flyteidl.core.catalog_pb2 import CatalogCacheStatus
from flyteidl.core.execution_pb2 import ExecutionError
from sqlalchemy import ColumnElement, Table, and_, bindparam, insert, select, update

from flyte_admin.db.execution_tables import EXECUTION
from flyte_admin.db.schema import event_outbox, executions, node_executions, task_executions

ERROR_KINDS: dict[int, str] = {value: name for name, value in ExecutionError.ErrorKind.items()}
CACHE_STATUSES: dict[int, str] = {value: name for name, value in CatalogCacheStatus.items()}


def of_execution(table: Table) -> ColumnElement[bool]:
    """Return the condition that a row belongs to the execution bound as the three ``execution_*`` columns."""
    return and_(*(table.c[name] == bindparam(name) for name in EXECUTION))


def _matches(table: Table, *names: str) -> ColumnElement[bool]:
    return and_(of_execution(table), *(table.c[name] == bindparam(name) for name in names))


_NODE_COLUMNS = [
    node_executions.c[name]
    for name in (
        "id",
        "node_id",
        "phase",
        "input_uri",
        "closure",
        "node_execution_metadata",
        "parent_id",
        "parent_task_execution_id",
        "dynamic_workflow_remote_closure_reference",
    )
]
_TASK = ("node_id", "project", "domain", "name", "version", "retry_attempt")

READ_EXECUTION = select(executions.c.id, executions.c.phase, executions.c.cluster, executions.c.closure).where(
    of_execution(executions)
)
LOCK_EXECUTION = READ_EXECUTION.with_for_update()
READ_NODE = select(*_NODE_COLUMNS).where(_matches(node_executions, "node_id"))
READ_NODES = select(*_NODE_COLUMNS).where(
    of_execution(node_executions), node_executions.c.node_id.in_(bindparam("node_ids", expanding=True))
)
READ_NODE_IDS = select(node_executions.c.id, node_executions.c.node_id).where(
    of_execution(node_executions), node_executions.c.node_id.in_(bindparam("node_ids", expanding=True))
)
READ_TASK = select(
    *(task_executions.c[name] for name in ("id", "phase", "phase_version", "input_uri", "closure"))
).where(_matches(task_executions, *_TASK))

UPDATE_EXECUTION = update(executions).where(executions.c.id == bindparam("row_id"))
INSERT_NODE = insert(node_executions)
UPDATE_NODE = update(node_executions).where(node_executions.c.id == bindparam("row_id"))
INSERT_TASK = insert(task_executions)
UPDATE_TASK = update(task_executions).where(task_executions.c.id == bindparam("row_id"))
INSERT_EVENT = insert(event_outbox)
