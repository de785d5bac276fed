"""What happens to a dynamic node: its task has left a graph, which is laid out behind the nodes that are there.

The node is RUNNING without an attempt while its graph is awaited, and DYNAMIC_RUNNING while the graph runs. A graph
that was laid out is a graft in the stored state. What goes on within is that of a sub-workflow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution

from flyte_core.phases import NodePhase
from flyte_propeller.machine import task_nodes
from flyte_propeller.machine.aborting import abort_within
from flyte_propeller.machine.effects import AskGraph
from flyte_propeller.machine.facts import Graph, GraphFailure
from flyte_propeller.machine.moves import node_move
from flyte_propeller.machine.state import Graft, WorkflowState
from flyte_propeller.machine.turn import Turn

GRAPHS_PER_ROUND = 10
"""Graphs that are laid out in one round, at most: bounds the events and the objects read of a round."""


def lay_out(turn: Turn, note: Callable[[Turn, int, ExecutionError], None]) -> None:
    """Lay out the graphs that are awaited, in the order in which their tasks have ended.

    One is asked for at a time, since a graph lies where the one before it ends.

    :param note: is told of each node that has failed
    """
    for _ in range(GRAPHS_PER_ROUND):
        if not turn.state.graphless:
            return
        index, rest = turn.state.graphless.pop()
        if task_nodes.awaits_graph(turn, index):
            ask = AskGraph(index, turn.state.active[index].attempt, len(turn.workflow.nodes))
            answer = turn.facts.graphs.get(ask)
            if answer is None:
                turn.effects.append(ask)
                return
            if isinstance(answer, GraphFailure):
                note(turn, index, task_nodes.fail(turn, index, answer.error))
            else:
                _open(turn, index, answer)
        turn.state = replace(turn.state, graphless=rest)
    turn.more = turn.more or bool(turn.state.graphless)


def _open(turn: Turn, index: int, graph: Graph) -> None:
    """Append the graph and have it begin in the next round, which finds its nodes where the others are."""
    node = turn.state.active[index]
    turn.workflow = turn.workflow.grown(graph.nodes)
    graft = Graft(index, node.attempt, len(graph.nodes))
    turn.state = replace(turn.state, grafts=(*turn.state.grafts, graft))
    turn.report_node(index, NodeExecution.DYNAMIC_RUNNING, node.attempt, made=graph.made)
    turn.keep(index, replace(node, phase=node_move(node.phase, NodePhase.DYNAMIC_RUNNING)))
    turn.report_node(graph.start, NodeExecution.SUCCEEDED)
    turn.settle(graph.start, NodePhase.SUCCEEDED)
    turn.more = True


def end_overdue(turn: Turn, index: int) -> None:
    """End what runs within a dynamic node that has taken too long, before the node itself is ended."""
    node, known = turn.state.active.get(index), turn.node(index)
    if node is None or not turn.is_dynamic(index):
        return
    error, limit = task_nodes.expired_attempt(turn, index, node), known.active_deadline
    if limit is not None and node.queued_at is not None and turn.now >= node.queued_at + limit:
        error = task_nodes.expired_node(limit)
    if error is not None:
        abort_within(turn, index, error.message)


def open_nodes(state: WorkflowState) -> int:
    """Return how many dynamic nodes are open or await their graph: they wait for no place."""
    makers = {graft.node for graft in state.grafts} | set(state.graphless.items())
    return sum(1 for index in makers if index in state.active and not _has_place_to_take(state, index))


def _has_place_to_take(state: WorkflowState, index: int) -> bool:
    node = state.active[index]
    return node.task is not None or task_nodes.waits_for_place(state, index)
