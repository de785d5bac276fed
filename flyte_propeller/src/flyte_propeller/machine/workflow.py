"""The graph that the machine walks: parsed once from a FlyteWorkflow, never changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from flyteidl.admin.execution_pb2 import ExecutionSpec
from flyteidl.core.condition_pb2 import BooleanExpression
from flyteidl.core.identifier_pb2 import Identifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import Binding, LiteralMap
from flyteidl.core.security_pb2 import SecurityContext
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.workflow_pb2 import GateNode

from flyte_core.identifiers import GENERATED_NAME_LIMIT, unique_node_id
from flyte_core.paths import NodePaths
from flyte_core.task_types import PlatformResources
from flyte_propeller.machine.addresses import element_of, is_element, node_of

NodeKind: TypeAlias = Literal["start", "end", "task", "workflow", "branch", "launch_plan", "gate", "array"]
"""``workflow`` is a sub-workflow, ``launch_plan`` an execution of its own; a FlyteWorkflow calls both ``workflow``."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The cases of a branch node.

    :ivar cases: (condition, index of the node that runs where it is the first that holds)
    :ivar otherwise: index of the node that runs where none holds
    :ivar message: of the failure where none holds and there is no ``otherwise``
    """

    cases: tuple[tuple[BooleanExpression, int], ...]
    otherwise: int | None = None
    message: str | None = None

    def all_cases(self) -> tuple[int, ...]:
        """Return the indices of the nodes of all cases."""
        rest = (self.otherwise,) if self.otherwise is not None else ()
        return (*(case for _, case in self.cases), *rest)


@dataclass(frozen=True, slots=True)
class Array:
    """What an array node maps over its list inputs.

    :ivar element: the node that runs for each element, without the ids and folders of a particular one; its task's
        outputs have the type that one element gives
    :ivar bound: inputs that are the same for all elements, although they may be lists
    :ivar parallelism: elements that run at once; 0 for any number, None where each takes one of the workflow's places
    :ivar min_successes: elements that must end well; None for :attr:`min_success_ratio` of all
    :ivar own_inputs: each element reads a file of inputs of its own, and not that of the array node
    :ivar run_all: elements go on although too many have failed
    """

    element: Node
    bound: frozenset[str] = frozenset()
    parallelism: int | None = None
    min_successes: int | None = None
    min_success_ratio: float = 1.0
    own_inputs: bool = False
    run_all: bool = False

    @property
    def inherits(self) -> bool:
        """Return whether each element takes a place of the workflow's ``max_parallelism``, and the node itself none."""
        return self.parallelism is None

    def needed(self, size: int) -> int:
        """Return how many of so many elements must end well.

        The ratio is a 32-bit float on the wire: the nearest decimal counts, so that 0.6 of 5 are 3.
        """
        if self.min_successes is not None:
            return self.min_successes
        return math.ceil(round(float(f"{self.min_success_ratio:.7g}") * size, 6))


@dataclass(frozen=True, slots=True)
class Node:
    """One node.

    :ivar index: position in :attr:`Workflow.nodes`; everything that is kept of a node is keyed by it
    :ivar upstream: indices of the nodes that must have ended well before this one starts
    :ivar max_attempts: attempts for errors of user code, ≥ 1
    :ivar interruptible: None where the execution or the workflow decides
    :ivar execution_deadline: longest time of one attempt
    :ivar active_deadline: longest time from QUEUED to the end, all attempts
    :ivar plugin_id: of the plugin that serves the task's type, for events
    :ivar name_limit: longest generated name that this plugin takes
    :ivar parent: index of the sub-workflow, branch or dynamic node that this one is within; None at the top
    :ivar parent_attempt: the attempt of it that this one belongs to; only dynamic nodes have more than one
    :ivar in_dynamic: within a dynamic node, at whatever depth
    :ivar unique: id within the execution, where it differs from ``id``
    :ivar where: the node's folders, where they are not those of a node at the top
    :ivar inner: of a sub-workflow node: indices of the start and end node within
    :ivar failure: of a sub-workflow node: index of the failure node within
    :ivar branch: of a branch node: its cases
    :ivar array: of an array node: what it maps
    :ivar element: of an element of an array node: its index there
    :ivar launch_plan: of a launch plan node: what it starts
    :ivar gate: of a gate node: what it waits for
    """

    index: int
    id: str
    kind: NodeKind
    name: str = ""
    task: TaskTemplate | None = None
    bindings: tuple[Binding, ...] = ()
    upstream: tuple[int, ...] = ()
    downstream: tuple[int, ...] = ()
    max_attempts: int = 1
    interruptible: bool | None = None
    execution_deadline: timedelta | None = None
    active_deadline: timedelta | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    container_image: str = ""
    pod_template: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[tuple[str, str], ...] = ()
    plugin_id: str = ""
    name_limit: int = GENERATED_NAME_LIMIT
    parent: int | None = None
    parent_attempt: int = 0
    in_dynamic: bool = False
    unique: str = ""
    where: NodePaths | None = None
    inner: tuple[int, int] | None = None
    failure: int | None = None
    branch: Branch | None = None
    array: Array | None = None
    element: int | None = None
    launch_plan: Identifier | None = None
    gate: GateNode | None = None

    @property
    def unique_id(self) -> str:
        """Return the node's id within the execution: of events, pods and folders."""
        return self.unique or self.id

    @property
    def takes_place(self) -> bool:
        """Whether an attempt counts for ``max_parallelism``: one that only waits does not (upstream's rule)."""
        return self.gate is None

    @property
    def sleeps(self) -> bool:
        """Whether this is a gate that only lets time pass: it has no outputs."""
        return self.gate is not None and self.gate.HasField("sleep")


def indices(nodes: Iterable[Node], kind: NodeKind) -> tuple[int, ...]:
    """Return the indices of the nodes of that kind."""
    return tuple(node.index for node in nodes if node.kind == kind)


def handled(nodes: Iterable[Node]) -> tuple[int, ...]:
    """Return the indices of the sub-workflow nodes that have a failure node within."""
    return tuple(node.index for node in nodes if node.failure is not None)


@dataclass(frozen=True, slots=True)
class Workflow:
    """Everything of one execution that does not change while it runs; dynamic nodes only add to it.

    :ivar id: ``project:domain:name`` of the workflow
    :ivar nodes: start node, end node and the others, those of each dynamic node's graph behind them as they came
    :ivar failure: index of the failure node
    :ivar fail_immediately: True to abort running nodes as soon as one has failed
    :ivar max_parallelism: task and launch plan nodes that may run at once; 0 for any number
    :ivar data_dir: URI of the execution's folder in the object store
    :ivar owner: ownerReference for what the execution creates
    :ivar recovers: the execution of which this one takes over what ended well
    :ivar overwrite_cache: compute what is cached, and replace it
    :ivar sub_workflow_nodes: indices of the nodes of that kind
    :ivar handled_nodes: those of them that have a failure node within
    :ivar branch_nodes: the same of branch nodes, the innermost first
    :ivar array_nodes: the same of array nodes
    :ivar gate_nodes: the same of gate nodes
    :ivar inherited: settings that the executions which launch plan nodes start take over
    """

    execution: WorkflowExecutionIdentifier
    namespace: str
    id: str
    nodes: tuple[Node, ...]
    start: int
    end: int
    failure: int | None
    fail_immediately: bool
    max_parallelism: int
    data_dir: str
    raw_output_prefix: str
    inputs: LiteralMap
    has_outputs: bool
    owner: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    security: SecurityContext = field(default_factory=SecurityContext)
    platform_resources: PlatformResources = field(default_factory=PlatformResources)
    interruptible: bool | None = None
    interruptible_default: bool = False
    console_url: str = ""
    recovers: WorkflowExecutionIdentifier | None = None
    overwrite_cache: bool = False
    sub_workflow_nodes: tuple[int, ...] = ()
    handled_nodes: tuple[int, ...] = ()
    branch_nodes: tuple[int, ...] = ()
    array_nodes: tuple[int, ...] = ()
    gate_nodes: tuple[int, ...] = ()
    inherited: ExecutionSpec = field(default_factory=ExecutionSpec)

    def grown(self, nodes: tuple[Node, ...]) -> Workflow:
        """Return the workflow with the graph of a dynamic node behind its nodes."""
        return replace(
            self,
            nodes=(*self.nodes, *nodes),
            sub_workflow_nodes=(*self.sub_workflow_nodes, *indices(nodes, "workflow")),
            handled_nodes=(*self.handled_nodes, *handled(nodes)),
            branch_nodes=(*reversed(indices(nodes, "branch")), *self.branch_nodes),
            gate_nodes=(*self.gate_nodes, *indices(nodes, "gate")),
            array_nodes=(*self.array_nodes, *indices(nodes, "array")),
        )

    def wants_interruptible(self, node: Node) -> bool:
        """Return the first that says so: the execution, the node, the workflow (upstream's order)."""
        if self.interruptible is not None:
            return self.interruptible
        return node.interruptible if node.interruptible is not None else self.interruptible_default

    def failure_nodes(self) -> frozenset[int]:
        """Return the indices of the failure nodes: the workflow's own, and those of sub-workflows."""
        within = (self.nodes[index].failure for index in self.handled_nodes)
        return frozenset(index for index in (self.failure, *within) if index is not None)

    def cases_of(self, index: int) -> tuple[int, ...]:
        """Return the indices of the nodes of a branch node's cases."""
        branch = self.nodes[index].branch
        return branch.all_cases() if branch is not None else ()

    @property
    def index_by_id(self) -> dict[str, int]:
        """Return unique node id → index."""
        return {node.unique_id: node.index for node in self.nodes}

    def at(self, address: int) -> Node:
        """Return the node of that index, or the element of that address as a node."""
        return self._element(address) if is_element(address) else self.nodes[address]

    def _element(self, address: int) -> Node:
        outer, element = self.nodes[node_of(address)], element_of(address)
        assert outer.array is not None, "only array nodes have elements"
        return replace(
            outer.array.element,
            index=address,
            id=f"n{element}",
            name=f"n{element}",
            parent=outer.index,
            unique=unique_node_id(outer.unique_id, 0, f"n{element}"),
            where=self.paths_of(outer).child(0, str(element)),
            element=element,
        )

    def inputs_of(self, node: Node) -> str:
        """Return the URI of the inputs that a node reads: for an element mostly those of its array node."""
        outer = self.nodes[node.parent] if node.element is not None and node.parent is not None else None
        if outer is not None and outer.array is not None and not outer.array.own_inputs:
            return self.paths_of(outer).inputs
        return self.paths_of(node).inputs

    def paths_of(self, node: Node) -> NodePaths:
        """Return the node's folders."""
        return node.where or NodePaths.top(self.data_dir, node.id)
