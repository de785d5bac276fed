"""Ends nodes because the execution, or what is around them, ends."""

from __future__ import annotations

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution, TaskExecution

from flyte_core.phases import NodePhase, TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine import array_nodes
from flyte_propeller.machine.turn import Turn


def abort_node(turn: Turn, index: int, reason: str) -> None:
    """End an active node."""
    node = turn.state.active[index]
    task_error = ExecutionError(code="Task Aborted", message=reason, kind=ExecutionError.SYSTEM)
    if node.task is not None:  # an intent too: who carried it out may have reported it and not stored that
        turn.report_task(index, node, PhaseInfo(TaskPhase.ABORTED, error=task_error))
    if node.array is not None:
        array_nodes.stop(turn, index, TaskExecution.ABORTED, task_error)
    turn.delete_attempt(index, node)
    error = ExecutionError(code="NodeAborted", message=reason, kind=ExecutionError.SYSTEM)
    turn.report_node(index, NodeExecution.ABORTED, node.attempt, error)
    turn.end_node(index, NodePhase.FAILED, node.attempt)


def abort_all(turn: Turn, reason: str) -> None:
    """End all active nodes."""
    for index in sorted(turn.state.active):
        abort_node(turn, index, reason)


def abort_within(turn: Turn, index: int, reason: str) -> None:
    """End what still runs within this node, the last ones first."""
    for other in sorted(turn.state.active, reverse=True):
        if other in turn.state.active and turn.is_within(other, index):
            abort_node(turn, other, reason)
