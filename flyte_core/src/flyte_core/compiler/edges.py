"""The edges of a workflow: who waits for whom, in which order nodes may be visited, and where nobody can start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flyteidl.core.compiler_pb2 import ConnectionSet
from flyteidl.core.workflow_pb2 import Node

from flyte_core.compiler.problems import Code, Problems
from flyte_core.compiler.tree import Tree, promises
from flyte_core.paths import END_NODE, START_NODE


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of one workflow.

    :ivar upstream: for every node, cases and failure node included, the nodes it waits for
    :ivar order: top-level nodes, each after all it waits for; those in or behind a cycle come last
    """

    upstream: Mapping[str, set[str]]
    downstream: Mapping[str, set[str]]
    order: tuple[str, ...]

    def connections(self) -> ConnectionSet:
        """Return the edges in the form of the closure, each list sorted."""
        connections = ConnectionSet()
        for node_id, others in self.upstream.items():
            connections.upstream[node_id].ids.extend(sorted(others))
        for node_id, others in self.downstream.items():
            connections.downstream[node_id].ids.extend(sorted(others))
        return connections


def draw_edges(tree: Tree, problems: Problems) -> Edges:
    """Return the edges: explicit ones and those of bindings; roots hang on the start node, the end node on leaves.

    Cases of a branch and the failure node have edges upstream only; nobody lists them downstream.
    """
    upstream: dict[str, set[str]] = {}
    for node_id, node in tree.everything():
        upstream[node_id] = set(_references(tree, node_id, node, problems)) or {START_NODE}
    if tree.template.HasField("failure_node"):
        failure = tree.template.failure_node
        upstream[failure.id] = set(_references(tree, failure.id, failure, problems)) or {START_NODE}
    ends = set(_references(tree, END_NODE, tree.template.nodes[1], problems))
    downstream: dict[str, set[str]] = defaultdict(set)
    for node_id in tree.top:
        for other in upstream[node_id]:
            downstream[other].add(node_id)
    ends.update(node_id for node_id in tree.top if node_id not in downstream)
    upstream[END_NODE] = ends
    for node_id in ends:
        downstream[node_id].add(END_NODE)
    return Edges(upstream, dict(downstream), _order(tree, upstream, problems))


def _references(tree: Tree, node_id: str, node: Node, problems: Problems) -> Iterator[str]:
    for other in node.upstream_node_ids:
        if _is_known(tree, other):
            yield other
        else:
            problems.add(Code.NODE_REFERENCE_NOT_FOUND, node_id, f"Referenced node [{other}] not found.")
    for binding in node.inputs:
        for promise in promises(binding.binding):
            if _is_known(tree, promise.node_id):
                yield promise.node_id
            else:
                message = f"Referenced node [{promise.node_id}] of variable [{binding.var}] not found."
                problems.add(Code.NODE_REFERENCE_NOT_FOUND, node_id, message)


def _is_known(tree: Tree, node_id: str) -> bool:
    return node_id == START_NODE or node_id in tree.top


def _order(tree: Tree, upstream: Mapping[str, set[str]], problems: Problems) -> tuple[str, ...]:
    """Sort the top-level nodes, and report cycles and what is cut off behind them.

    A branch waits for what its cases wait for: a case that waits for a node behind its own branch never runs.
    """
    waiting = {node_id: {other for other in upstream[node_id] if other != START_NODE} for node_id in tree.top}
    for case_id, holder in tree.holder.items():
        waiting[holder] |= {other for other in upstream[case_id] if other != START_NODE}
    behind: dict[str, list[str]] = defaultdict(list)
    for node_id, others in waiting.items():
        for other in others:
            behind[other].append(node_id)
    ready = [node_id for node_id, others in waiting.items() if not others]
    order = _release(ready, waiting, behind)
    cut_off: list[str] = []
    while len(order) < len(tree.top):
        cycle = _find_cycle(waiting)
        problems.add(Code.CYCLE_DETECTED, cycle[0], f"Cycle detected: [{' -> '.join([*cycle, cycle[0]])}].")
        released = _release(cycle, waiting, behind)
        cut_off.extend(node_id for node_id in released if node_id not in cycle)
        order.extend(released)
    if cut_off:
        names = ", ".join(sorted(cut_off))
        problems.add(Code.UNREACHABLE_NODES, START_NODE, f"Nodes behind a cycle are never reached: [{names}].")
    return tuple(order)


def _release(ready: list[str], waiting: dict[str, set[str]], behind: Mapping[str, list[str]]) -> list[str]:
    """Take nodes off ``waiting``, and then each that waits for nothing any more; return them in that order."""
    released = list(ready)
    for node_id in released:
        waiting.pop(node_id, None)
    for node_id in released:  # grows while it is walked
        for other in behind.get(node_id, ()):
            if other in waiting:
                waiting[other].discard(node_id)
                if not waiting[other]:
                    del waiting[other]
                    released.append(other)
    return released


def _find_cycle(waiting: Mapping[str, set[str]]) -> list[str]:
    """Walk upstream from the first waiting node until one comes again; return the nodes between in running order."""
    path: dict[str, int] = {}
    node_id = min(waiting)
    while node_id not in path:
        path[node_id] = len(path)
        node_id = min(other for other in waiting[node_id] if other in waiting)
    walked = list(path)[path[node_id] :]
    walked.reverse()
    return walked
