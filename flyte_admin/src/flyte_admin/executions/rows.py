"""The rows that events touch, read once and written once for a whole sequence of events.

One round of the propeller reports several events of one execution. Their rows are kept here between the events, so
that the sequence costs one read and one write for each row and not for each event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from flyteidl.admin.node_execution_pb2 import NodeExecutionClosure, NodeExecutionMetaData
from flyteidl.admin.task_execution_pb2 import TaskExecutionClosure
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution
from sqlalchemy import Connection

from flyte_admin.executions import statements as sql
from flyte_admin.executions.keys import ExecutionKey, NodeKey, Scope, TaskKey, by_scope
from flyte_admin.executions.open_rows import ExecutionRow, NodeRow, TaskRow, execution_row, node_row, task_row
from flyte_admin.executions.row_values import execution_values, node_values, task_key_values, task_values

K = TypeVar("K")
R = TypeVar("R")


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

    def fetch(
        self, executions: Iterable[ExecutionKey], nodes: Iterable[NodeKey] = (), tasks: Iterable[TaskKey] = ()
    ) -> None:
        """Read all these rows with one statement for each kind; what is not found is known to be missing."""
        statement = sql.READ_EXECUTIONS if self.read_only else sql.LOCK_EXECUTIONS
        for scope, keys in by_scope(self._unknown(executions, self._executions), lambda key: key):
            for row in self.connection.execute(statement, {**scope.columns, "keys": [key.name for key in keys]}):
                self._executions[ExecutionKey(scope.project, scope.domain, row.execution_name)] = execution_row(row)
        for scope, found in by_scope(self._unknown(nodes, self._nodes), lambda key: key.execution):
            pairs = [(key.execution.name, key.node_id) for key in found]
            for row in self.connection.execute(sql.READ_NODES, {**scope.columns, "keys": pairs}):
                self._nodes[_node_key(scope, row)] = node_row(row)
        for scope, attempts in by_scope(self._unknown(tasks, self._tasks), lambda key: key.node.execution):
            triples = [(key.node.execution.name, key.node.node_id, key.retry_attempt) for key in attempts]
            for row in self.connection.execute(sql.READ_TASKS, {**scope.columns, "keys": triples}):
                self._tasks[_task_key(scope, row)] = task_row(row)

    @staticmethod
    def _unknown(keys: Iterable[K], known: dict[K, R | None]) -> list[K]:
        unknown = [key for key in dict.fromkeys(keys) if key not in known]
        known.update(dict.fromkeys(unknown))
        return unknown

    def execution(self, key: ExecutionKey) -> ExecutionRow | None:
        """Return the execution, locked; None if there is none."""
        if key not in self._executions:
            self.fetch([key])
        return self._executions[key]

    def node(self, key: NodeKey) -> NodeRow | None:
        """Return the node execution; None if there is none."""
        if key not in self._nodes:
            self.fetch((), [key])
        return self._nodes[key]

    def task(self, key: TaskKey) -> TaskRow | None:
        """Return the task execution; None if there is none."""
        if key not in self._tasks:
            self.fetch((), (), [key])
        return self._tasks[key]

    def node_id(self, key: NodeKey) -> int | None:
        """Return the surrogate key of a node execution, inserting it first if it is new here; None if there is none."""
        row = self.node(key)
        if row is not None and row.id is None and not self.read_only:
            self._write_nodes()
            self._learn_ids()
        return row.id if row is not None else None

    def _learn_ids(self) -> None:
        """Take over the surrogate keys of nodes just inserted."""
        new = {key: row for key, row in self._nodes.items() if row is not None and row.id is None}
        for scope, keys in by_scope(new, lambda key: key.execution):
            pairs = [(key.execution.name, key.node_id) for key in keys]
            for found in self.connection.execute(sql.READ_NODES, {**scope.columns, "keys": pairs}):
                new[_node_key(scope, found)].id = found.id

    def add_node(self, key: NodeKey) -> NodeRow:
        """Begin a node execution; it is inserted with the next write."""
        row = NodeRow(None, NodeExecution.UNDEFINED, "", NodeExecutionClosure(), NodeExecutionMetaData(), changed=True)
        self._nodes[key] = row
        return row

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
            self.connection.execute(sql.UPDATE_EXECUTION, [execution_values(row, self.now) for row in changed])
            for row in changed:
                row.changed = False

    def _write_nodes(self) -> None:
        inserts, updates = [], []
        for key, row in self._nodes.items():
            if row is None or not row.changed:
                continue
            row.changed = False
            values = node_values(row, self.now)
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
            values = task_values(row, self.now)
            if row.id is None:
                inserts.append({**task_key_values(key), "created_at": self.now, **values})
            else:
                updates.append({"row_id": row.id, **values})
        if inserts:
            self.connection.execute(sql.INSERT_TASK, inserts)
        if updates:
            self.connection.execute(sql.UPDATE_TASK, updates)


def _node_key(scope: Scope, row: Any) -> NodeKey:
    return NodeKey(ExecutionKey(scope.project, scope.domain, row.execution_name), row.node_id)


def _task_key(scope: Scope, row: Any) -> TaskKey:
    return TaskKey(_node_key(scope, row), row.project, row.domain, row.name, row.version, row.retry_attempt)
