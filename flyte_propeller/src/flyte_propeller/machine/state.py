"""What the machine remembers of one execution. Frozen; maps share their structure with the state before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from flyteidl.core.execution_pb2 import ExecutionError
from immutables import Map

from flyte_core.phases import NodePhase, TaskPhase, WorkflowPhase
from flyte_propeller.machine.addresses import is_element
from flyte_propeller.machine.array_state import ArrayState

AttemptKey: TypeAlias = tuple[int, int]
"""(index of a node, or address of an element of an array node; attempt counted from 0)."""


@dataclass(frozen=True, slots=True)
class TaskAttempt:
    """The current attempt of a node, outside: a task's pod or job, a launch plan's execution, a gate's signal.

    :ivar token: identity of what was created (uid, job handle, name); empty while there is only the intent to create it
    :ivar phase: last phase reported, with its ``version``
    """

    token: str = ""
    phase: TaskPhase = TaskPhase.UNDEFINED
    version: int = 0


@dataclass(frozen=True, slots=True)
class CacheState:
    """What the catalog has said of a node's result.

    :ivar status: a ``CatalogCacheStatus``
    :ivar reservation: a ``CatalogReservation.Status``; with EXISTS the node waits for another one's result
    :ivar next_at: when the reservation is extended, or asked for again
    """

    status: int
    reservation: int = 0
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node that has started and not ended.

    :ivar attempt: counted from 0, all causes
    :ivar system_failures: attempts that the platform, not the user's code, lost
    :ivar error: of a sub-workflow node that is FAILING: what has failed within, while its failure node runs
    :ivar task: None while the node waits for a free place, or for the end of the attempt before, and in a dynamic node
        once its attempt has ended
    :ivar array: of an array node: its elements
    :ivar cache: None for a node whose result is not cached
    :ivar checkpoint: of the execution that is recovered, for the first attempt
    """

    phase: NodePhase
    attempt: int = 0
    system_failures: int = 0
    queued_at: datetime | None = None
    attempt_started_at: datetime | None = None
    task: TaskAttempt | None = None
    error: ExecutionError | None = None
    array: ArrayState | None = None
    cache: CacheState | None = None
    checkpoint: str = ""


def is_dynamic(node: NodeState) -> bool:
    """Return whether this task node has a graph: awaited (RUNNING, and its attempt has ended) or running."""
    return node.phase is NodePhase.DYNAMIC_RUNNING or (node.phase is NodePhase.RUNNING and node.task is None)


@dataclass(frozen=True, slots=True)
class Settled:
    """A node that has ended, and the attempt whose outputs count."""

    phase: NodePhase
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Graft:
    """A graph that a dynamic node's attempt made, laid out behind the nodes that were there then.

    :ivar size: how many nodes it has
    """

    node: int
    attempt: int
    size: int


@dataclass(frozen=True, slots=True)
class Queue:
    """A first-in-first-out queue of node indices; pushing and popping cost the same at any length."""

    chunks: tuple[tuple[int, ...], ...] = ()
    offset: int = 0

    def push(self, items: tuple[int, ...]) -> Queue:
        """Return the queue with these at its end."""
        return Queue((*self.chunks, items), self.offset) if items else self

    def pop(self) -> tuple[int, Queue]:
        """Return the first item and the rest. The queue must not be empty."""
        first = self.chunks[0]
        if self.offset + 1 < len(first):
            return first[self.offset], Queue(self.chunks, self.offset + 1)
        return first[self.offset], Queue(self.chunks[1:])

    def __bool__(self) -> bool:
        return bool(self.chunks)

    def items(self) -> tuple[int, ...]:
        """Return all items in order."""
        flat = tuple(item for chunk in self.chunks for item in chunk)
        return flat[self.offset :]


@dataclass(frozen=True, slots=True)
class WorkflowState:
    """The state of one execution.

    :ivar active: nodes that have started and not ended, by index
    :ivar settled: nodes that have ended
    :ivar waiting: count of upstream nodes that a node still waits for; one that is not in it waits for all of them
    :ivar ready: nodes whose upstreams have all ended well, not yet QUEUED
    :ivar queued: nodes that wait for a free place: QUEUED, or nothing is left of their attempt that failed
    :ivar graphless: dynamic nodes whose graph is not laid out yet
    :ivar grafts: graphs that were laid out, in order: with it a node has the same index after a restart
    :ivar elements: elements of array nodes that have begun and not ended, by address
    :ivar running: nodes and elements that take a place of ``max_parallelism``
    :ivar cleanup: attempts that have ended for the machine and must be deleted outside, with their tokens
    :ivar error: of the first node that failed, or of the execution itself
    :ivar muted: the control plane has closed this execution: no events any more
    """

    phase: WorkflowPhase = WorkflowPhase.READY
    active: Map[int, NodeState] = field(default_factory=Map)
    settled: Map[int, Settled] = field(default_factory=Map)
    elements: Map[int, NodeState] = field(default_factory=Map)
    waiting: Map[int, int] = field(default_factory=Map)
    ready: Queue = field(default_factory=Queue)
    queued: Queue = field(default_factory=Queue)
    graphless: Queue = field(default_factory=Queue)
    grafts: tuple[Graft, ...] = ()
    running: int = 0
    cleanup: Map[AttemptKey, str] = field(default_factory=Map)
    error: ExecutionError | None = None
    message: str = ""
    muted: bool = False
    started_at: datetime | None = None
    stopped_at: datetime | None = None

    def running_at(self, address: int) -> NodeState | None:
        """Return the node, or the element of an array node, that has started and not ended."""
        return self.elements.get(address) if is_element(address) else self.active.get(address)
