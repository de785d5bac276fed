"""The rows that events touch, read once and written once for a whole sequence of events.

One round of the propeller reports several events of one execution. Their rows are kept here between the events, so
that the sequence costs one read and one write for each row and not for each event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flyteidl.admin.execution_pb2 import ExecutionClosure
from flyteidl.admin.node_execution_pb2 import NodeExecutionClosure, NodeExecutionMetaData
from flyteidl.admin.task_execution_pb2 import TaskExecutionClosure
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import Identifier, NodeExecutionIdentifier, WorkflowExecutionIdentifier
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Connection

from flyte_admin.executions import statements as sql


class ExecutionKey(NamedTuple):
    """An execution's identifier as a value."""

    project: str
    domain: str
    name: str

    @classmethod
    def of(cls, execution: WorkflowExecutionIdentifier) -> ExecutionKey:
        """Return the key of an identifier."""
        return cls(execution.project, execution.domain, execution.name)

    @property
    def columns(self) -> dict[str, str]:
        """The key as values of the three columns that every table of what runs has."""
        return {"execution_project": self.project, "execution_domain": self.domain, "execution_name": self.name}


class NodeKey(NamedTuple):
    """A node execution's identifier as a value."""

    execution: ExecutionKey
    node_id: str

    @classmethod
    def of(cls, node: NodeExecutionIdentifier) -> NodeKey:
        """Return the key of an identifier."""
        return cls(ExecutionKey.of(node.execution_id), node.node_id)


class TaskKey(NamedTuple):
    """A task execution's identifier as a value: task, node and attempt."""

    node: NodeKey
    project: str
    domain: str
    name: str
    version: str
    retry_attempt: int

    @classmethod
    def of(cls, task: Identifier, node: NodeKey, retry_attempt: int) -> TaskKey:
        """Return the key of an attempt of ``task`` in ``node``."""
        return cls(node, task.project, task.domain, task.name, task.version, retry_attempt)


@dataclass(slots=True)
class ExecutionRow:
    """What events need of an execution; ``changed`` rows are written back."""

    id: int
    phase: int
    cluster: str
    closure_bytes: bytes
    closure: ExecutionClosure | None = None
    changed: bool = False

    def open_closure(self) -> ExecutionClosure:
        """Return the closure to be changed, parsed on first use: most events never look into it."""
        if self.closure is None:
            self.closure = ExecutionClosure.FromString(self.closure_bytes)
        return self.closure


@dataclass(slots=True)
class NodeRow:
    """A node execution. ``id`` is None until it is inserted; ``changed`` rows are written."""

    id: int | None
    phase: int
    input_uri: str
    closure: NodeExecutionClosure
    metadata: NodeExecutionMetaData
    parent_id: int | None = None
    parent_task_execution_id: int | None = None
    dynamic_reference: str = ""
    changed: bool = False


@dataclass(slots=True)
class TaskRow:
    """One attempt of a task in a node. ``id`` is None until it is inserted; ``changed`` rows are written."""

    id: int | None
    phase: int
    phase_version: int
    input_uri: str
    closure: TaskExecutionClosure
    changed: bool = False


@dataclass(slots=True)
class Rows:
    """Rows of one transaction. An execution's row is locked from its first read on, so that the events of one
    execution are recorded one after the other, whichever replica of the control plane gets them.

    :ivar now: of this transaction, for the rows' own times
    :ivar read_only: nothing is locked, nothing may be written: for looking at what would happen
    """

    connection: Connection
    now: datetime
    read_only: bool = False
    _executions: dict[ExecutionKey, ExecutionRow | None] = field(default_factory=dict)
    _nodes: dict[NodeKey, NodeRow | None] = field(default_factory=dict)
    _tasks: dict[TaskKey, TaskRow | None] = field(default_factory=dict)

    def execution(self, key: ExecutionKey) -> ExecutionRow | None:
        """Return the execution, locked; None if there is none."""
        if key not in self._executions:
            statement = sql.READ_EXECUTION if self.read_only else sql.LOCK_EXECUTION
            found = self.connection.execute(statement, key.columns).one_or_none()
            self._executions[key] = (
                None
                if found is None
                else ExecutionRow(found.id, WorkflowExecution.Phase.Value(found.phase), found.cluster, found.closure)
            )
        return self._executions[key]

    def fetch_nodes(self, keys: Iterable[NodeKey]) -> None:
        """Read all these nodes with one statement for each execution; :meth:`node` then finds them here."""
        wanted: dict[ExecutionKey, set[str]] = {}
        for key in keys:
            if key not in self._nodes:
                wanted.setdefault(key.execution, set()).add(key.node_id)
        for execution, ids in wanted.items():
            self._nodes.update(dict.fromkeys(NodeKey(execution, node_id) for node_id in ids))
            if len(ids) == 1:
                found = self.connection.execute(sql.READ_NODE, {**execution.columns, "node_id": next(iter(ids))})
            else:
                found = self.connection.execute(sql.READ_NODES, {**execution.columns, "node_ids": sorted(ids)})
            for row in found:
                self._nodes[NodeKey(execution, row.node_id)] = _node_row(row)

    def node(self, key: NodeKey) -> NodeRow | None:
        """Return the node execution; None if there is none."""
        if key not in self._nodes:
            self.fetch_nodes((key,))
        return self._nodes[key]

    def node_id(self, key: NodeKey) -> int | None:
        """Return the surrogate key of a node execution, inserting it first if it is new here; None if there is none."""
        row = self.node(key)
        if row is not None and row.id is None and not self.read_only:
            self._write_nodes()
            self._learn_ids(key.execution)
        return row.id if row is not None else None

    def _learn_ids(self, execution: ExecutionKey) -> None:
        """Take over the surrogate keys of nodes just inserted."""
        new = {
            key.node_id: row
            for key, row in self._nodes.items()
            if row is not None and row.id is None and key.execution == execution
        }
        found = self.connection.execute(sql.READ_NODE_IDS, {**execution.columns, "node_ids": sorted(new)})
        for row in found:
            new[row.node_id].id = row.id

    def add_node(self, key: NodeKey) -> NodeRow:
        """Begin a node execution; it is inserted with the next write."""
        row = NodeRow(None, NodeExecution.UNDEFINED, "", NodeExecutionClosure(), NodeExecutionMetaData(), changed=True)
        self._nodes[key] = row
        return row

    def task(self, key: TaskKey) -> TaskRow | None:
        """Return the task execution; None if there is none."""
        if key not in self._tasks:
            found = self.connection.execute(sql.READ_TASK, _task_values(key)).one_or_none()
            self._tasks[key] = None if found is None else _task_row(found)
        return self._tasks[key]

    def add_task(self, key: TaskKey) -> TaskRow:
        """Begin a task execution; it is inserted with the next write."""
        row = TaskRow(None, TaskExecution.UNDEFINED, 0, "", TaskExecutionClosure(), changed=True)
        self._tasks[key] = row
        return row

    def write(self) -> None:
        """Write every changed row: one statement for each kind of change."""
        self._write_executions()
        self._write_nodes()
        self._write_tasks()

    def _write_executions(self) -> None:
        changed = [row for row in self._executions.values() if row is not None and row.changed]
        if changed:
            self.connection.execute(sql.UPDATE_EXECUTION, [_execution_values(row, self.now) for row in changed])
            for row in changed:
                row.changed = False

    def _write_nodes(self) -> None:
        inserts, updates = [], []
        for key, row in self._nodes.items():
            if row is None or not row.changed:
                continue
            row.changed = False
            values = _node_values(row, self.now)
            if row.id is None:
                inserts.append({**key.execution.columns, "node_id": key.node_id, "created_at": self.now, **values})
            else:
                updates.append({"row_id": row.id, **values})
        if inserts:
            self.connection.execute(sql.INSERT_NODE, inserts)
        if updates:
            self.connection.execute(sql.UPDATE_NODE, updates)

    def _write_tasks(self) -> None:
        inserts, updates = [], []
        for key, row in self._tasks.items():
            if row is None or not row.changed:
                continue
            row.changed = False
            values = _task_row_values(row, self.now)
            if row.id is None:
                inserts.append({**_task_values(key), "created_at": self.now, **values})
            else:
                updates.append({"row_id": row.id, **values})
        if inserts:
            self.connection.execute(sql.INSERT_TASK, inserts)
        if updates:
            self.connection.execute(sql.UPDATE_TASK, updates)


def _node_row(row: Any) -> NodeRow:
    return NodeRow(
        row.id,
        NodeExecution.Phase.Value(row.phase),
        row.input_uri,
        NodeExecutionClosure.FromString(row.closure),
        NodeExecutionMetaData.FromString(row.node_execution_metadata or b""),
        row.parent_id,
        row.parent_task_execution_id,
        row.dynamic_workflow_remote_closure_reference,
    )


def _task_row(row: Any) -> TaskRow:
    closure = TaskExecutionClosure.FromString(row.closure)
    return TaskRow(row.id, TaskExecution.Phase.Value(row.phase), row.phase_version, row.input_uri, closure)


def _task_values(key: TaskKey) -> dict[str, Any]:
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


def _execution_values(row: ExecutionRow, now: datetime) -> dict[str, Any]:
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


def _node_values(row: NodeRow, now: datetime) -> dict[str, Any]:
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


def _task_row_values(row: TaskRow, now: datetime) -> dict[str, Any]:
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
