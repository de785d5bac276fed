"""Rows that events change, with their messages unpacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flyteidl.admin.execution_pb2 import ExecutionClosure
from flyteidl.admin.node_execution_pb2 import NodeExecutionClosure, NodeExecutionMetaData
from flyteidl.admin.task_execution_pb2 import TaskExecutionClosure
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution


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


def execution_row(row: Any) -> ExecutionRow:
    """Return an execution as read from the database."""
    return ExecutionRow(row.id, WorkflowExecution.Phase.Value(row.phase), row.cluster, row.closure)


def node_row(row: Any) -> NodeRow:
    """Return a node execution as read from the database."""
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


def task_row(row: Any) -> TaskRow:
    """Return a task execution as read from the database."""
    closure = TaskExecutionClosure.FromString(row.closure)
    return TaskRow(row.id, TaskExecution.Phase.Value(row.phase), row.phase_version, row.input_uri, closure)
