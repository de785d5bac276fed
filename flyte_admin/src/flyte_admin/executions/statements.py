"""The statements behind event recording, built once: their compiled form is cached, only values change."""

from __future__ import annotations

from flyteidl.core.catalog_pb2 import CatalogCacheStatus
from flyteidl.core.execution_pb2 import ExecutionError
from sqlalchemy import ColumnElement, Table, and_, bindparam, insert, select, tuple_, update

from flyte_admin.db.schema import event_outbox, executions, node_executions, task_executions

ERROR_KINDS: dict[int, str] = {value: name for name, value in ExecutionError.ErrorKind.items()}
CACHE_STATUSES: dict[int, str] = {value: name for name, value in CatalogCacheStatus.items()}


_NODE_COLUMNS = [
    node_executions.c[name]
    for name in (
        "id",
        "execution_name",
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
_TASK_COLUMNS = [
    task_executions.c[name]
    for name in (
        "id",
        "execution_name",
        "node_id",
        "project",
        "domain",
        "name",
        "version",
        "retry_attempt",
        "phase",
        "phase_version",
        "input_uri",
        "closure",
    )
]
_SCOPE = ("execution_project", "execution_domain")


def _in_scope(table: Table, *names: str) -> ColumnElement[bool]:
    """The rows of one project's domain whose ``names`` are among the tuples bound as ``keys``."""
    columns = tuple_(*(table.c[name] for name in names)) if len(names) > 1 else table.c[names[0]]
    return and_(*(table.c[name] == bindparam(name) for name in _SCOPE), columns.in_(bindparam("keys", expanding=True)))


READ_EXECUTIONS = (
    select(*(executions.c[name] for name in ("id", "execution_name", "phase", "cluster", "closure")))
    .where(_in_scope(executions, "execution_name"))
    .order_by(executions.c.id)
)
LOCK_EXECUTIONS = READ_EXECUTIONS.with_for_update()
"""In one order, so that two replicas with several executions each do not wait for one another."""
READ_EXECUTION_NAMES = select(executions.c.execution_name).where(_in_scope(executions, "execution_name"))
READ_NODES = select(*_NODE_COLUMNS).where(_in_scope(node_executions, "execution_name", "node_id"))
READ_TASKS = select(*_TASK_COLUMNS).where(_in_scope(task_executions, "execution_name", "node_id", "retry_attempt"))

UPDATE_EXECUTION = update(executions).where(executions.c.id == bindparam("row_id"))
INSERT_NODE = insert(node_executions)
UPDATE_NODE = update(node_executions).where(node_executions.c.id == bindparam("row_id"))
INSERT_TASK = insert(task_executions)
UPDATE_TASK = update(task_executions).where(task_executions.c.id == bindparam("row_id"))
INSERT_EVENT = insert(event_outbox)
