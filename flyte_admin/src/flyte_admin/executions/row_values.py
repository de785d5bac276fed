"""Rows of events as values for the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_admin.executions import statements as sql
from flyte_admin.executions.keys import TaskKey
from flyte_admin.executions.open_rows import ExecutionRow, NodeRow, TaskRow


def task_key_values(key: TaskKey) -> dict[str, Any]:
    """Return the columns that identify a task execution."""
    return {
        **key.node.execution.columns,
        "node_id": key.node.node_id,
        "project": key.project,
        "domain": key.domain,
        "name": key.name,
        "version": key.version,
        "retry_attempt": key.retry_attempt,
    }


def instant(timestamp: Timestamp) -> datetime:
    """Return a timestamp as the databases keep it, to the microsecond."""
    return timestamp.ToDatetime(tzinfo=UTC)


def _time(message: Any, name: str) -> datetime | None:
    return instant(getattr(message, name)) if message.HasField(name) else None


def _nanoseconds(duration: Duration) -> int:
    return duration.seconds * 1_000_000_000 + duration.nanos


def execution_values(row: ExecutionRow, now: datetime) -> dict[str, Any]:
    """Return what is written of an execution."""
    closure = row.open_closure()
    failed = closure.WhichOneof("output_result") == "error"
    return {
        "row_id": row.id,
        "updated_at": now,
        "phase": WorkflowExecution.Phase.Name(row.phase),
        "cluster": row.cluster,
        "closure": closure.SerializeToString(),
        "started_at": _time(closure, "started_at"),
        "execution_updated_at": _time(closure, "updated_at"),
        "duration": _nanoseconds(closure.duration),
        "error_kind": sql.ERROR_KINDS.get(closure.error.kind) if failed else None,
        "error_code": closure.error.code[:255] if failed else None,
    }


def node_values(row: NodeRow, now: datetime) -> dict[str, Any]:
    """Return what is written of a node execution."""
    closure = row.closure
    failed = closure.WhichOneof("output_result") == "error"
    return {
        "updated_at": now,
        "phase": NodeExecution.Phase.Name(row.phase),
        "input_uri": row.input_uri,
        "closure": closure.SerializeToString(),
        "started_at": _time(closure, "started_at"),
        "node_execution_created_at": _time(closure, "created_at"),
        "node_execution_updated_at": _time(closure, "updated_at"),
        "duration": _nanoseconds(closure.duration),
        "node_execution_metadata": row.metadata.SerializeToString(),
        "parent_id": row.parent_id,
        "parent_task_execution_id": row.parent_task_execution_id,
        "error_kind": sql.ERROR_KINDS.get(closure.error.kind) if failed else None,
        "error_code": closure.error.code[:255] if failed else None,
        "cache_status": (
            sql.CACHE_STATUSES.get(closure.task_node_metadata.cache_status)
            if closure.HasField("task_node_metadata")
            else None
        ),
        "dynamic_workflow_remote_closure_reference": row.dynamic_reference,
    }


def task_values(row: TaskRow, now: datetime) -> dict[str, Any]:
    """Return what is written of a task execution."""
    closure = row.closure
    return {
        "updated_at": now,
        "phase": TaskExecution.Phase.Name(row.phase),
        "phase_version": row.phase_version,
        "input_uri": row.input_uri,
        "closure": closure.SerializeToString(),
        "started_at": _time(closure, "started_at"),
        "task_execution_created_at": _time(closure, "created_at"),
        "task_execution_updated_at": _time(closure, "updated_at"),
        "duration": _nanoseconds(closure.duration),
    }
