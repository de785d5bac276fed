"""What happens to a sub-workflow node: its graph lies among the other nodes, and the node is open while it runs."""

from __future__ import annotations

from dataclasses import replace

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution

from flyte_core.phases import NodePhase
from flyte_propeller.machine.aborting import abort_node
from flyte_propeller.machine.event_requests import failure
from flyte_propeller.machine.facts import BindingFailure
from flyte_propeller.machine.moves import node_move
from flyte_propeller.machine.state import NodeState
from flyte_propeller.machine.turn import Turn


def begin(turn: Turn, index: int) -> ExecutionError | None:
    """Open the node: its inputs are the outputs of the start node within. Return the error of one that fails."""
    inputs, inner = turn.facts.inputs[index], turn.node(index).inner
    assert inner is not None, "a sub-workflow node has a graph"
    if isinstance(inputs, BindingFailure):
        error = failure(inputs.code, inputs.message)
        turn.report_node(index, NodeExecution.FAILED, error=error)
        turn.settle(index, NodePhase.FAILED)
        return error
    node = NodeState(node_move(NodePhase.NOT_YET_STARTED, NodePhase.QUEUED), queued_at=turn.now)
    turn.keep(index, node)
    turn.report_node(index, NodeExecution.QUEUED)
    turn.report_node(inner[0], NodeExecution.SUCCEEDED)
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.RUNNING)))
    turn.report_node(index, NodeExecution.RUNNING)
    turn.settle(inner[0], NodePhase.SUCCEEDED)
    return None


def end(turn: Turn, index: int) -> ExecutionError | None:
    """Close the node whose end node within is ready. Return the error of one that fails."""
    inputs, parent = turn.facts.inputs[index], turn.node(index).parent
    assert parent is not None, "the end node of a sub-workflow is within it"
    if isinstance(inputs, BindingFailure):
        error = failure(inputs.code, inputs.message)
        turn.report_node(index, NodeExecution.FAILED, error=error)
        turn.end_node(index, NodePhase.FAILED)
        return error
    turn.report_node(index, NodeExecution.QUEUED)
    turn.report_node(index, NodeExecution.SUCCEEDED)
    turn.end_node(index, NodePhase.SUCCEEDED)
    node = turn.state.active[parent]
    turn.report_node(parent, NodeExecution.SUCCEEDED)
    turn.keep(parent, replace(node, phase=node_move(node.phase, NodePhase.SUCCEEDING)))
    turn.settle(parent, NodePhase.SUCCEEDED)
    return None


def is_closed(turn: Turn, index: int) -> bool:
    """Return whether the node is within a sub-workflow node that has ended, or has never begun."""
    parent = turn.node(index).parent
    return parent is not None and parent not in turn.state.active


def fail_around(turn: Turn, index: int, error: ExecutionError, reason: str) -> None:
    """End the open nodes around a node that has failed, the innermost first, with what still runs within each."""
    parent = turn.node(index).parent
    while parent is not None and parent in turn.state.active:
        for other in sorted(turn.state.active, reverse=True):
            if other in turn.state.active and _is_within(turn, other, parent):
                abort_node(turn, other, reason)
        node = turn.state.active[parent]
        turn.report_node(parent, NodeExecution.FAILED, error=error)
        turn.keep(parent, replace(node, phase=node_move(node.phase, NodePhase.FAILING)))
        turn.settle(parent, NodePhase.FAILED)
        parent = turn.node(parent).parent


def _is_within(turn: Turn, index: int, outer: int) -> bool:
    parent = turn.node(index).parent
    while parent is not None and parent != outer:
        parent = turn.node(parent).parent
    return parent is not None


def open_nodes(turn: Turn) -> int:
    """Return how many sub-workflow and branch nodes are open: they wait for no place."""
    opening = (*turn.workflow.sub_workflow_nodes, *turn.workflow.branch_nodes)
    return sum(1 for index in opening if index in turn.state.active)
