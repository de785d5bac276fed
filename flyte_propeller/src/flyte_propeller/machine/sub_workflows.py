"""What happens to a sub-workflow node: its graph lies among the other nodes, and the node is open while it runs."""

from __future__ import annotations

from dataclasses import replace

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution

from flyte_core.phases import NodePhase
from flyte_propeller.machine import caching, task_nodes
from flyte_propeller.machine.aborting import abort_within
from flyte_propeller.machine.effects import Ask
from flyte_propeller.machine.event_requests import failure
from flyte_propeller.machine.facts import BindingFailure
from flyte_propeller.machine.moves import node_move
from flyte_propeller.machine.retry import truncated
from flyte_propeller.machine.state import NodeState, WorkflowState
from flyte_propeller.machine.turn import ENDED_WELL, Turn
from flyte_propeller.machine.workflow import Workflow

SUB_WORKFLOW_FAILED = "subworkflow failed"
"""Upstream's reason for ending the nodes that still run when a sub-workflow fails."""
DYNAMIC_FAILED = "Dynamic workflow failed"
"""Upstream's reason for ending the nodes that still run when the graph of a dynamic node fails."""


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
    assert parent is not None, "the end node of a sub-workflow or dynamic node is within it"
    if isinstance(inputs, BindingFailure):
        error = failure(inputs.code, inputs.message)
        turn.report_node(index, NodeExecution.FAILED, error=error)
        turn.end_node(index, NodePhase.FAILED)
        return error
    node = turn.state.active[parent]
    publication = caching.publication(turn, parent, node.attempt)
    if caching.unanswered(turn, publication):
        return None
    turn.report_node(index, NodeExecution.QUEUED)
    turn.report_node(index, NodeExecution.SUCCEEDED)
    turn.end_node(index, NodePhase.SUCCEEDED)
    turn.report_node(parent, NodeExecution.SUCCEEDED, node.attempt, catalog=caching.published(turn, publication))
    turn.keep(parent, replace(node, phase=node_move(node.phase, NodePhase.SUCCEEDING)))
    turn.settle(parent, NodePhase.SUCCEEDED, node.attempt)
    return None


def is_closed(workflow: Workflow, state: WorkflowState, index: int) -> bool:
    """Return whether the node does not begin any more: what it is within has failed, has ended, has never begun, or
    makes another attempt by now.
    """
    node = workflow.nodes[index]
    if node.parent is None:
        return False
    around = state.active.get(node.parent)
    return around is None or around.attempt != node.parent_attempt or around.phase is NodePhase.FAILING


def fail_around(turn: Turn, index: int, error: ExecutionError) -> ExecutionError | None:
    """End the open nodes around a node that has failed, the innermost first, with what still runs within each.

    Return the error for what is around them all. None where a failure node within one of them runs first; its own
    failure then takes the place of the failure that it was to handle (upstream's rule). None also where a dynamic node
    is tried again, which it is when a node of its graph has timed out (upstream's rule; one that has failed fails it
    for good).
    """
    parent = turn.node(index).parent
    while parent is not None and parent in turn.state.active:
        abort_within(turn, parent, DYNAMIC_FAILED if turn.is_dynamic(parent) else SUB_WORKFLOW_FAILED)
        node = turn.state.active[parent]
        if turn.node(parent).failure is not None and node.phase is not NodePhase.FAILING:
            turn.keep(parent, replace(node, phase=node_move(node.phase, NodePhase.FAILING), error=truncated(error)))
            return None
        if turn.is_dynamic(parent) and turn.state.settled[index].phase is NodePhase.TIMED_OUT:
            text = f"{DYNAMIC_FAILED}: node [{turn.node(index).unique_id}]: {error.message}"
            failed = task_nodes.retry_or_fail(turn, parent, ExecutionError(code="DynamicNodeFailing", message=text))
            if failed is None:
                return None
            error = failed
        else:
            task_nodes.fail(turn, parent, error)
        index, parent = parent, turn.node(parent).parent
    return error


def begin_handling(turn: Turn) -> list[int]:
    """Return the failure nodes that begin now: their sub-workflow has failed, and their inputs are resolved. Those of
    the others are asked for.
    """
    beginning = []
    for index in turn.workflow.handled_nodes:
        node, failure_node = turn.state.active.get(index), turn.node(index).failure
        if node is None or node.phase is not NodePhase.FAILING or failure_node is None:
            continue
        if failure_node in turn.state.active or failure_node in turn.state.settled:
            continue
        if failure_node in turn.facts.inputs:
            beginning.append(failure_node)
        else:
            turn.effects.append(Ask(failure_node, node.error))
    return beginning


def end_handled(turn: Turn) -> tuple[int, ExecutionError] | None:
    """End one sub-workflow whose failure node has ended well, with what had failed in it; return both."""
    for index in turn.workflow.handled_nodes:
        node, failure_node = turn.state.active.get(index), turn.node(index).failure
        if node is None or node.error is None or failure_node is None:
            continue
        settled = turn.state.settled.get(failure_node)
        if settled is not None and settled.phase in ENDED_WELL:
            return index, task_nodes.fail(turn, index, node.error)
    return None


def open_nodes(turn: Turn) -> int:
    """Return how many sub-workflow, branch and gate nodes are open: they wait for no place."""
    opening = (*turn.workflow.sub_workflow_nodes, *turn.workflow.branch_nodes, *turn.workflow.gate_nodes)
    return sum(1 for index in opening if index in turn.state.active)
