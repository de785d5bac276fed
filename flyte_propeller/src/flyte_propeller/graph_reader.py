"""Reads the graph of a FlyteWorkflow: nodes and edges, with every sub-workflow laid out among them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar

from flyteidl.core.condition_pb2 import BooleanExpression
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.literals_pb2 import Binding, BindingData
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.workflow_pb2 import ArrayNode, GateNode
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from flyte_core import paths
from flyte_core.cluster import Manifest
from flyte_core.errors import InvalidInput
from flyte_core.identifiers import GENERATED_NAME_LIMIT, unique_node_id
from flyte_propeller.machine.workflow import Array, Branch, Node, NodeKind

M = TypeVar("M", bound=Message)
SUPPORTED_KINDS: tuple[NodeKind, ...] = ("start", "end", "task", "workflow", "branch", "gate", "array")
MAPPED_KINDS = ("task", "launch_plan")
"""Kinds of nodes that an array node maps."""
MAX_DEPTH = 20
"""Sub-workflows within sub-workflows, at most: what refers to itself is found out."""
MAX_NODES = 1_000_000
"""Nodes that one graph becomes with its sub-workflows laid out: a few lines can make any number."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}

_CACHE_FIELDS = {
    "cacheable": "discoverable",
    "cache_version": "discovery_version",
    "cache_serializable": "cache_serializable",
}
"""Fields of ``NodeMetadata`` → those of ``TaskMetadata`` that they override."""

PluginOf: TypeAlias = Callable[[str], tuple[str, int]]
"""Task type → id of its plugin, and its limit for generated names."""


def _node(
    node: Mapping[str, Any], index: int, place: Place, tasks: Mapping[str, TaskTemplate], plugin_of: PluginOf
) -> Node:
    kind = _kind(node)
    task = _cached_as(tasks[node["task"]], node.get("cache") or {}) if node.get("task") else None
    plugin_id, name_limit = plugin_of(task.type) if task is not None else ("", GENERATED_NAME_LIMIT)
    return Node(
        index=index,
        id=node["id"],
        kind=kind,
        name=node.get("name") or "",
        task=task,
        bindings=tuple(place.bound(from_jsonpb(binding, Binding())) for binding in node.get("inputBindings") or ()),
        max_attempts=max(1, int((node.get("retry") or {}).get("minAttempts") or 1)),
        interruptible=node.get("interruptible"),
        execution_deadline=parse_duration(node.get("executionDeadline")),
        active_deadline=parse_duration(node.get("activeDeadline")),
        resources=node.get("resources") or {},
        container_image=node.get("containerImage") or "",
        pod_template=node.get("podTemplate") or {},
        aliases=tuple((alias["var"], alias["alias"]) for alias in node.get("outputAlias") or ()),
        plugin_id=plugin_id,
        name_limit=name_limit,
        parent=place.parent,
        parent_attempt=place.attempt,
        in_dynamic=place.in_dynamic,
        unique=place.unique_id(node["id"]),
        where=place.folders(node["id"]),
        array=_array(node, place, tasks, plugin_of) if kind == "array" else None,
        launch_plan=from_jsonpb(node["workflow"]["launchPlanRefId"], Identifier()) if kind == "launch_plan" else None,
        gate=_gate(node) if kind == "gate" else None,
    )


def _array(node: Mapping[str, Any], place: Place, tasks: Mapping[str, TaskTemplate], plugin_of: PluginOf) -> Array:
    array = node["array"]
    given = {key: node[key] for key in ("retry", "interruptible") if node.get(key) is not None}
    spec = {**array["SubNodeSpec"], **given, "inputBindings": None}  # the array node's own bindings are the same
    element = _node(spec, -1, place, tasks, plugin_of)
    if element.kind not in MAPPED_KINDS:
        raise InvalidInput(f"node {node['id']!r} maps a {element.kind}, which this data plane does not run")
    if element.task is not None and not array.get("IsOriginalSubNodeInterface"):
        element = replace(element, task=_of_one_element(element.task))
    ratio = array.get("MinSuccessRatio")
    return Array(
        element=element,
        bound=frozenset(array.get("BoundInputs") or ()),
        parallelism=array.get("Parallelism"),
        min_successes=array.get("MinSuccesses"),
        min_success_ratio=1.0 if ratio is None else float(ratio),
        own_inputs=array.get("DataMode") == ArrayNode.INDIVIDUAL_INPUT_FILES,
        run_all=bool(array.get("RunAllSubNodes")),
    )


def _of_one_element(task: TaskTemplate) -> TaskTemplate:
    """Return the template with the outputs that one element gives: registered is the list that all give."""
    own = TaskTemplate()
    own.CopyFrom(task)
    for name, variable in task.interface.outputs.variables.items():
        if variable.type.HasField("collection_type"):
            own.interface.outputs.variables[name].type.CopyFrom(variable.type.collection_type)
    return own


def _cached_as(task: TaskTemplate, cache: Mapping[str, Any]) -> TaskTemplate:
    """Return the task with what its node says of caching."""
    if not cache:
        return task
    changed = TaskTemplate()
    changed.CopyFrom(task)
    for field, name in _CACHE_FIELDS.items():
        if field in cache:
            setattr(changed.metadata, name, cache[field])
    return changed


def _kind(node: Mapping[str, Any]) -> NodeKind:
    kind = node["kind"]
    text = f"node {node['id']!r} is of kind {kind!r}, which this data plane does not run yet"
    if kind == "workflow" and (node.get("workflow") or {}).get("launchPlanRefId"):
        return "launch_plan"
    if kind == "workflow" and not (node.get("workflow") or {}).get("subWorkflowRef"):
        raise InvalidInput(f"node {node['id']!r} names neither a sub-workflow nor a launch plan")
    for known in SUPPORTED_KINDS:
        if kind == known:
            return known
    raise InvalidInput(text)


def _gate(node: Mapping[str, Any]) -> GateNode:
    gate = GateNode()
    from_jsonpb({key: value for key, value in (node.get("gate") or {}).items() if key != "kind"}, gate)
    if gate.WhichOneof("condition") is None:
        raise InvalidInput(f"node {node['id']!r} is a gate that waits for nothing (approve, signal or sleep)")
    return gate


@dataclass(frozen=True, slots=True)
class Place:
    """Where a graph lies: at the top, or within a sub-workflow or dynamic node.

    :ivar outer: the sub-workflow, branch or dynamic node; None at the top
    :ivar attempt: of that node; 0 but for dynamic nodes, since the others are not tried again
    :ivar graph: of the case of a branch: where the graph lies that the branch is in, whose names it uses
    """

    data_dir: str
    outer: Node | None = None
    graph: Place | None = None
    attempt: int = 0

    @property
    def in_dynamic(self) -> bool:
        """Whether a dynamic node is around."""
        return self.outer is not None and (self.outer.kind == "task" or self.outer.in_dynamic)

    @property
    def parent(self) -> int | None:
        """Index of the node that this graph is within."""
        return self.outer.index if self.outer is not None else None

    def unique_id(self, node_id: str) -> str:
        """Return the id of a node of this graph within the execution."""
        return unique_node_id(self.outer.unique_id, self.attempt, node_id) if self.outer is not None else node_id

    def folders(self, node_id: str) -> paths.NodePaths:
        """Return the folders of a node of this graph."""
        if self.outer is None or self.outer.where is None:
            return paths.NodePaths.top(self.data_dir, node_id)
        return self.outer.where.child(self.attempt, node_id)

    def bound(self, binding: Binding) -> Binding:
        """Return the binding with promises of this graph's nodes named by their unique ids."""
        if self.graph is not None:
            return self.graph.bound(binding)
        if self.outer is not None:
            self._rename(binding.binding)
        return binding

    def _rename(self, data: BindingData) -> None:
        match data.WhichOneof("value"):
            case "promise":
                data.promise.node_id = self.unique_id(data.promise.node_id or paths.START_NODE)
            case "collection":
                for item in data.collection.bindings:
                    self._rename(item)
            case "map":
                for item in data.map.bindings.values():
                    self._rename(item)
            case _:
                pass  # a scalar names no node


def _case_ids(node: Mapping[str, Any]) -> list[str]:
    """Return the ids of the nodes of a branch node's cases."""
    branch = node["branch"]
    blocks = [branch["if"], *(branch.get("elseIf") or ())]
    return [*(block["then"] for block in blocks), *([branch["else"]] if branch.get("else") else [])]


def _outermost_first(listed: Mapping[str, Any], branch_of: Mapping[str, str]) -> list[str]:
    """Return the ids so that a branch comes before its cases."""

    def depth(identifier: str) -> int:
        count = 0
        while identifier in branch_of and count <= len(listed):
            identifier, count = branch_of[identifier], count + 1
        return count

    return sorted(listed, key=depth)


def _branch(branch: Mapping[str, Any], index: Mapping[str, int]) -> Branch:
    blocks = [branch["if"], *(branch.get("elseIf") or ())]
    cases = tuple((from_jsonpb(block["condition"], BooleanExpression()), index[block["then"]]) for block in blocks)
    otherwise = index[branch["else"]] if branch.get("else") else None
    fail = branch.get("elseFail")
    return Branch(cases, otherwise, fail.get("message", "") if fail else None)


def _wait_for_cases(
    upstream: dict[str, list[str]], downstream: dict[str, list[str]], branch_of: Mapping[str, str]
) -> None:
    """Have a branch wait for what its cases need: a case begins in the moment in which it is chosen."""
    for case, branch in branch_of.items():
        while branch in branch_of:
            branch = branch_of[branch]
        for before in upstream.get(case, ()):
            if before not in branch_of and before not in upstream.setdefault(branch, []):
                upstream[branch].append(before)
                downstream.setdefault(before, []).append(branch)


_UNREAD = Node(-1, "", "start")
"""Holds a node's place in the row until it is read."""


class GraphReader:
    """Lays the graphs of a workflow and of its sub-workflows out in one row of nodes."""

    def __init__(self, manifest: Manifest, data_dir: str, plugin_of: PluginOf) -> None:
        self._tasks = {key: from_jsonpb(task, TaskTemplate()) for key, task in (manifest.get("tasks") or {}).items()}
        self._sub_workflows: Mapping[str, Any] = manifest.get("subWorkflows") or {}
        self._data_dir = data_dir
        self._plugin_of = plugin_of
        self._nodes: list[Node] = []
        self._first = 0

    def read(self, spec: Mapping[str, Any]) -> tuple[Node, ...]:
        """Return the nodes of this graph and of everything within it; a node's index is its place."""
        self._add(spec, Place(self._data_dir))
        return tuple(self._nodes)

    def read_within(
        self, spec: Mapping[str, Any], known: Sequence[Node], maker: Node, attempt: int
    ) -> tuple[tuple[Node, ...], int]:
        """Return the nodes of a graph that a dynamic node has made, and the index of its start node.

        :param known: all nodes that there are; the indices of the new ones go on behind them
        :param attempt: of the dynamic node
        """
        self._nodes, self._first = list(known), len(known)
        index = self._add(spec, Place(self._data_dir, maker, attempt=attempt))
        return tuple(self._nodes[self._first :]), index[paths.START_NODE]

    def _add(self, spec: Mapping[str, Any], place: Place) -> dict[str, int]:
        """Append a graph; return node id → index."""
        listed = dict(spec["nodes"])
        if spec.get("onFailure"):
            listed[spec["onFailure"]["id"]] = spec["onFailure"]
        first = len(self._nodes)
        if first - self._first > MAX_NODES:
            raise InvalidInput(f"sub-workflows within sub-workflows make more than {MAX_NODES} nodes")
        index = {identifier: first + number for number, identifier in enumerate(listed)}
        branch_of = {
            case: node["id"] for node in listed.values() if node["kind"] == "branch" for case in _case_ids(node)
        }
        self._nodes += [_UNREAD] * len(listed)
        for identifier in _outermost_first(listed, branch_of):
            outer = branch_of.get(identifier)
            within = place if outer is None else Place(self._data_dir, self._nodes[index[outer]], place)
            number = index[identifier]
            self._nodes[number] = _node(listed[identifier], number, within, self._tasks, self._plugin_of)
        self._connect(spec, index, branch_of)
        self._add_cases(listed, index)
        for identifier, number in index.items():
            if self._nodes[number].kind == "workflow":
                self._expand(number, listed[identifier]["workflow"]["subWorkflowRef"])
        return index

    def _add_cases(self, listed: Mapping[str, Any], index: Mapping[str, int]) -> None:
        for identifier, number in index.items():
            if self._nodes[number].kind == "branch":
                self._nodes[number] = replace(self._nodes[number], branch=_branch(listed[identifier]["branch"], index))

    def _connect(self, spec: Mapping[str, Any], index: Mapping[str, int], branch_of: Mapping[str, str]) -> None:
        edges = spec.get("edges") or {}
        upstream = {key: list(ids) for key, ids in (edges.get("upstream") or {}).items()}
        downstream = {key: list(ids) for key, ids in (edges.get("downstream") or {}).items()}
        _wait_for_cases(upstream, downstream, branch_of)
        unknown = {other for ids in (*upstream.values(), *downstream.values()) for other in ids if other not in index}
        if unknown:
            raise InvalidInput(f"edges name nodes that are not there: {', '.join(sorted(unknown))}", field="spec.edges")
        for identifier, number in index.items():
            self._nodes[number] = replace(
                self._nodes[number],
                upstream=tuple(index[other] for other in upstream.get(identifier, ())),
                downstream=tuple(index[other] for other in downstream.get(identifier, ())),
            )

    def _expand(self, number: int, reference: str) -> None:
        node = self._nodes[number]
        if reference not in self._sub_workflows:
            raise InvalidInput(f"node {node.id!r} names a sub-workflow that is not there: {reference[:256]}")
        depth, parent = 0, node.parent
        while parent is not None and parent >= self._first:
            depth, parent = depth + 1, self._nodes[parent].parent
        if depth >= MAX_DEPTH:
            raise InvalidInput(f"node {node.unique_id!r}: sub-workflows are nested deeper than {MAX_DEPTH}")
        spec = self._sub_workflows[reference]
        index = self._add(spec, Place(self._data_dir, node))
        failure = index[spec["onFailure"]["id"]] if spec.get("onFailure") else None
        self._nodes[number] = replace(node, inner=(index[paths.START_NODE], index[paths.END_NODE]), failure=failure)


def parse_duration(text: str | None) -> timedelta | None:
    """Read Go's form of a duration (``1h0m3.5s``); None and zero are None.

    :raises ValueError: if it is something else
    """
    if not text:
        return None
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text.lstrip("+"):
        if text == "0":
            return None
        raise ValueError(f"{text!r} is no duration, such as 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return timedelta(seconds=seconds) if seconds else None


def from_jsonpb(value: Any, message: M) -> M:
    """Return the message that this JSON holds; nothing gives the message as it is."""
    return ParseDict(value, message, ignore_unknown_fields=True) if value else message
