"""What must be known of a node before it begins, one question after the other: its past, its inputs, its result."""

from __future__ import annotations

from flyte_propeller.machine import caching, recovery
from flyte_propeller.machine.effects import Ask, Question
from flyte_propeller.machine.turn import Turn


def first_question(turn: Turn, index: int) -> Question | None:
    """Return the next question about the node; None where it can begin."""
    past = recovery.question(turn, index)
    if past is not None:
        return past
    if recovery.has_ended_well(turn, index):
        return None
    if index not in turn.facts.inputs:
        return Ask(index)
    return caching.lookup(turn, index)
