"""Draws docs/explanation/state-machine.md from the tables of legal moves."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set
from enum import IntEnum
from typing import TypeVar

from generated import main, table

from flyte_core.phases import (
    NODE_MOVES,
    TERMINAL_NODE_PHASES,
    TERMINAL_TASK_PHASES,
    TERMINAL_WORKFLOW_PHASES,
    WORKFLOW_MOVES,
    NodePhase,
    TaskPhase,
    WorkflowPhase,
)

P = TypeVar("P", bound=IntEnum)


def drawn(moves: Mapping[P, Set[P]], first: P, terminal: Set[P]) -> str:
    """Return a Mermaid state diagram and the same moves as a table."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first.name}"]
    lines += [f"    {before.name} --> {after.name}" for before, to in moves.items() for after in sorted(to)]
    lines += [f"    {phase.name} --> [*]" for phase in sorted(terminal)]
    rows = [
        (str(int(before)), f"`{before.name}`", ", ".join(f"`{after.name}`" for after in sorted(to)) or "(terminal)")
        for before, to in sorted(moves.items())
    ]
    return "\n".join([*lines, "```", "", table(("number", "phase", "may move to"), rows)])


def listed(phases: type[P], terminal: Set[P]) -> str:
    """Return phases without a table of moves."""
    rows = [(str(int(phase)), f"`{phase.name}`", "yes" if phase in terminal else "") for phase in phases]
    return table(("number", "phase", "ends the attempt"), rows)


if __name__ == "__main__":
    parts = {
        "workflow moves": drawn(WORKFLOW_MOVES, WorkflowPhase.READY, TERMINAL_WORKFLOW_PHASES),
        "node moves": drawn(NODE_MOVES, NodePhase.NOT_YET_STARTED, TERMINAL_NODE_PHASES),
        "task phases": listed(TaskPhase, TERMINAL_TASK_PHASES),
    }
    sys.exit(main("explanation/state-machine.md", parts))
