"""Phases that an execution, a node or an attempt of a task does not leave."""

from __future__ import annotations

from typing import Any

from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution

TERMINAL = frozenset(
    {WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED, WorkflowExecution.TIMED_OUT}
)
TERMINAL_NODES = frozenset(
    {
        NodeExecution.SUCCEEDED,
        NodeExecution.FAILED,
        NodeExecution.ABORTED,
        NodeExecution.SKIPPED,
        NodeExecution.TIMED_OUT,
        NodeExecution.RECOVERED,
    }
)
TERMINAL_TASKS = frozenset({TaskExecution.SUCCEEDED, TaskExecution.FAILED, TaskExecution.ABORTED})
_OF_CLOSURE = {
    "ExecutionClosure": TERMINAL,
    "NodeExecutionClosure": TERMINAL_NODES,
    "TaskExecutionClosure": TERMINAL_TASKS,
}


def is_ended(closure: Any) -> bool:
    """Tell whether an execution, a node or an attempt has ended, by its closure."""
    return closure.phase in _OF_CLOSURE[closure.DESCRIPTOR.name]
