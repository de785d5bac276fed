"""The only place where a phase changes: each move is looked up in the tables of flyte_core.phases."""

from __future__ import annotations

from flyte_core.phases import NODE_MOVES, WORKFLOW_MOVES, NodePhase, WorkflowPhase


class IllegalMove(Exception):
    """A bug in the machine: a move that the tables do not allow."""


def node_move(before: NodePhase, after: NodePhase) -> NodePhase:
    """Return ``after``.

    :raises IllegalMove: if the table does not allow it
    """
    if after is not before and after not in NODE_MOVES[before]:
        raise IllegalMove(f"node: {before.name} → {after.name}")
    return after


def workflow_move(before: WorkflowPhase, after: WorkflowPhase) -> WorkflowPhase:
    """Return ``after``.

    :raises IllegalMove: if the table does not allow it
    """
    if after not in WORKFLOW_MOVES[before]:
        raise IllegalMove(f"workflow: {before.name} → {after.name}")
    return after
