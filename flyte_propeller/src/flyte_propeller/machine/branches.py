"""What happens to a branch node: it chooses one of its cases, which then runs; the others are never looked at."""

from __future__ import annotations

from dataclasses import replace

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution

from flyte_core.phases import NodePhase
from flyte_propeller.machine.conditions import Malformed, holds
from flyte_propeller.machine.effects import Ask
from flyte_propeller.machine.event_requests import failure
from flyte_propeller.machine.facts import BindingFailure
from flyte_propeller.machine.moves import node_move
from flyte_propeller.machine.state import NodeState
from flyte_propeller.machine.turn import ENDED_WELL, Turn


def choose(turn: Turn, index: int) -> int | ExecutionError:
    """Return the case that runs, or the error of a branch that has none."""
    inputs, branch = turn.facts.inputs[index], turn.node(index).branch
    assert branch is not None, "a branch node has cases"
    if isinstance(inputs, BindingFailure):
        return failure(inputs.code, inputs.message)
    try:
        for condition, case in branch.cases:
            if holds(condition, inputs):
                return case
    except Malformed as error:
        return _user_error("MalformedBranchUserError", str(error))
    if branch.otherwise is not None:
        return branch.otherwise
    if branch.message is not None:
        return _user_error("UserProvidedError", branch.message)
    return _user_error("MalformedBranchUserError", f"No branch satisfied for node [{turn.node(index).id}]")


def begin(turn: Turn, index: int) -> None:
    """Open the branch: its case begins in the same step, so that what was chosen is stored with it."""
    node = NodeState(node_move(NodePhase.NOT_YET_STARTED, NodePhase.QUEUED), queued_at=turn.now)
    turn.keep(index, node)
    turn.report_node(index, NodeExecution.QUEUED)
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.RUNNING)))
    turn.report_node(index, NodeExecution.RUNNING)


def refuse(turn: Turn, index: int, error: ExecutionError) -> ExecutionError:
    """End a branch that has no case to run, and return the error."""
    turn.report_node(index, NodeExecution.QUEUED)
    turn.report_node(index, NodeExecution.FAILED, error=error)
    turn.settle(index, NodePhase.FAILED)
    return error


def close(turn: Turn) -> bool:
    """End each branch whose case has ended well, once the case's outputs are the branch's. Return whether any did."""
    closed = False
    for index in turn.workflow.branch_nodes:
        node, branch = turn.state.active.get(index), turn.node(index).branch
        if node is None or branch is None:
            continue
        for case in branch.all_cases():
            settled = turn.state.settled.get(case)
            if settled is None or settled.phase not in ENDED_WELL:
                continue
            if index not in turn.facts.inputs:
                turn.effects.append(Ask(index, outputs_of=(case, settled.attempt)))
                break
            turn.report_node(index, NodeExecution.SUCCEEDED)
            turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.SUCCEEDING)))
            turn.settle(index, NodePhase.SUCCEEDED)
            closed = True
            break
    return closed


def _user_error(code: str, message: str) -> ExecutionError:
    return ExecutionError(code=code, message=f"[{code}] {message}", kind=ExecutionError.USER)
