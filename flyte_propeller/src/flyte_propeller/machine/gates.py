"""Gate nodes: they sleep, or wait for a signal or an approval. They need no place of ``max_parallelism``."""

from __future__ import annotations

from flyteidl.core.execution_pb2 import ExecutionError

from flyte_propeller.machine import task_nodes
from flyte_propeller.machine.turn import Turn


def begin(turn: Turn, index: int) -> ExecutionError | None:
    """Have the gate wait. Return the error of one whose inputs cannot be resolved."""
    error = task_nodes.take_inputs(turn, index)
    if error is None:
        turn.opening.append(index)
    return error


def open_all(turn: Turn) -> None:
    """Let the gates wait that have begun and have not been ended by what came after them in this step."""
    for index in turn.opening:
        if task_nodes.waits_for_place(turn.state, index):
            task_nodes.start_attempt(turn, index)
    turn.opening.clear()
