"""One execution in memory: its graph, its state as last stored, and what came in since."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.cluster import Manifest
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.addresses import is_element
from flyte_propeller.machine.facts import Launch
from flyte_propeller.machine.state import AttemptKey, WorkflowState
from flyte_propeller.machine.workflow import Node, Workflow
from flyte_propeller.serde import StateWriter
from flyte_propeller.wakeups import Awaited, Key

OUTPUTS_KEPT = 64
"""Outputs of nodes that are kept in memory per execution, latest used."""


@dataclass(slots=True)
class Inbox:
    """What came in since the last round that was stored.

    :ivar dirty: nodes to look at
    :ivar due: nodes whose timers have gone off
    :ivar whole: True to look at everything: after a load, and on a resync
    """

    launched: dict[AttemptKey, Launch | PhaseInfo] = field(default_factory=dict)
    gone: set[AttemptKey] = field(default_factory=set)
    dirty: set[int] = field(default_factory=set)
    due: set[int] = field(default_factory=set)
    whole: bool = False

    def add(self, other: Inbox) -> None:
        """Take over what the other one holds."""
        self.launched.update(other.launched)
        self.gone |= other.gone
        self.dirty |= other.dirty
        self.due |= other.due
        self.whole |= other.whole


class Timers:
    """When to look at which node. A timer that is no longer wanted goes off and does nothing."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int]] = []
        self._polls: dict[int, datetime] = {}

    def take_due(self, now: datetime) -> set[int]:
        """Remove and return the nodes whose time has come."""
        due = set()
        while self._heap and self._heap[0][0] <= now:
            due.add(heapq.heappop(self._heap)[1])
        return due

    @property
    def next(self) -> datetime | None:
        """Return the first time that is set."""
        return self._heap[0][0] if self._heap else None

    def set(self, at: datetime, node: int) -> None:
        """Have the node looked at then."""
        heapq.heappush(self._heap, (at, node))

    def poll(self, at: datetime, node: int, now: datetime) -> None:
        """Have the node looked at then, unless a poll of it is still to come: however often it is looked at for other
        reasons, there is one row of polls.
        """
        if self._polls.get(node, now) <= now:
            self._polls[node] = at
            self.set(at, node)


@dataclass(slots=True)
class Execution:
    """What a propeller keeps of an execution between rounds. All of it can be loaded anew.

    :ivar manifest: the FlyteWorkflow as last read or written
    :ivar outputs: URI → outputs of a node, as far as they are in memory
    :ivar inputs: node index → inputs of nodes that run, as far as they are in memory
    :ivar element_names: generated name → address, of attempts of elements of array nodes
    :ivar overflow: URIs of states in the object store, oldest first
    :ivar awaited: where to note the children that this execution waits for; None where nobody wakes it up
    :ivar finished: nothing is left to do
    """

    workflow: Workflow
    state: WorkflowState
    manifest: Manifest
    writer: StateWriter
    index: dict[str, int] = field(default_factory=dict)
    inbox: Inbox = field(default_factory=Inbox)
    timers: Timers = field(default_factory=Timers)
    outputs: OrderedDict[str, LiteralMap] = field(default_factory=OrderedDict)
    inputs: dict[int, LiteralMap] = field(default_factory=dict)
    element_names: dict[str, int] = field(default_factory=dict)
    overflow: list[str] = field(default_factory=list)
    awaited: Awaited | None = None
    finished: bool = False

    @property
    def declared_nodes(self) -> int:
        """How many nodes the FlyteWorkflow itself has: without those that dynamic nodes have added."""
        return len(self.workflow.nodes) - sum(graft.size for graft in self.state.grafts)

    @property
    def key(self) -> Key:
        """Namespace and name of the FlyteWorkflow."""
        return Key(self.workflow.namespace, str(self.manifest["metadata"]["name"]))

    @property
    def resource_version(self) -> str:
        """Version of the manifest in memory."""
        return str(self.manifest["metadata"]["resourceVersion"])

    def take_inbox(self) -> Inbox:
        """Return the inbox, and start a new one."""
        inbox, self.inbox = self.inbox, Inbox()
        return inbox

    def grow(self, nodes: tuple[Node, ...]) -> None:
        """Go on with the graph of a dynamic node among the others."""
        if nodes:
            self.workflow = self.workflow.grown(nodes)
            self.index.update((node.unique_id, node.index) for node in nodes)

    def know_element(self, address: int, generated_name: str) -> None:
        """Remember the name of an element's attempt, by which changes of its pod are told."""
        if is_element(address):
            self.element_names[generated_name] = address

    def keep_outputs(self, uri: str, outputs: LiteralMap) -> None:
        """Keep a node's outputs for the nodes that need them next."""
        self.outputs[uri] = outputs
        self.outputs.move_to_end(uri)
        if len(self.outputs) > OUTPUTS_KEPT:
            self.outputs.popitem(last=False)
