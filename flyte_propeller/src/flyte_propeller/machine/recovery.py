"""What a recovery takes over: a node that ended well in the earlier execution is RECOVERED, and does not run."""

from __future__ import annotations

from flyte_core.phases import NodePhase
from flyte_propeller.machine.effects import AskPast, RecordEvent
from flyte_propeller.machine.event_requests import recovered_event
from flyte_propeller.machine.turn import Turn


def question(turn: Turn, index: int) -> AskPast | None:
    """Return what must be asked of the node's past; None where there is none, or nothing is left to ask.

    Start and end nodes only pass on what others have, and the failure node is for this execution's failure. The graph
    that a task makes now need not be the one that it made then, whatever its nodes are called.
    """
    if turn.workflow.recovers is None or index in turn.facts.past or index == turn.workflow.failure:
        return None
    node = turn.node(index)
    return None if node.in_dynamic or node.kind in ("start", "end") else AskPast(index)


def has_ended_well(turn: Turn, index: int) -> bool:
    """Return whether the node's past is taken over."""
    past = turn.facts.past.get(index)
    return past is not None and past.outputs is not None


def recover(turn: Turn, index: int) -> bool:
    """End the node with what it had. Return False for one that is to run."""
    if not has_ended_well(turn, index):
        return False
    if not turn.state.muted:
        request = recovered_event(turn.workflow, turn.node(index), turn.facts.past[index], turn.now)
        turn.effects.append(RecordEvent(request, index))
    turn.settle(index, NodePhase.RECOVERED)
    return True


def checkpoint(turn: Turn, index: int) -> str:
    """Return the checkpoint that the node's first attempt goes on from; empty where there is none."""
    past = turn.facts.past.get(index)
    return past.checkpoint if past is not None else ""
