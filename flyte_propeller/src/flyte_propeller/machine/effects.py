"""What the machine wants done. Frozen values; doing one twice is harmless.

The order is a contract with the shell:

1. the FlyteWorkflow is read fresh, after everything else was looked at: a round over a state that is older than the
   stored one is abandoned before any effect, and what was seen outside was seen under the state that is still valid;
2. :class:`Ask`, :class:`AskGraph`, :class:`GatherOutputs` - answered at once, the machine is asked again with the
   answer as a fact, nothing is stored yet. An answer may write to the object store what any other round would write
   there too (a node's inputs, a compiled graph, an array node's outputs). :class:`AskPast` and the questions to the
   catalog (:data:`CacheQuestion`) are answered in the same way: a result that is stored is that of an attempt which has
   succeeded, a reservation is the node's own however often it is made;
3. :class:`RecordEvent`, in order. While the control plane does not answer the round is abandoned: nothing is stored,
   nothing is counted against anybody;
4. the new state is stored by compare-and-swap: the write-ahead intent of everything that follows;
5. :class:`LaunchTask` and :class:`DeleteTask`, by deterministic names, with no other call in between: the state that
   intends them is the stored one. What is launched is a pod, a job, a child execution or a signal. What they give is a
   fact of the next round, confirmed by uid. Both are wanted again whenever the node is looked at, until the fact is
   there;
   :class:`KeepReservation` and :class:`DropReservation` come with them. Nobody hears whether these were done: a
   reservation that nobody extends expires;
6. :class:`Finish`, after which the execution is no longer looked at; :class:`WakeAt` only sets a timer.

A ``node`` may be an element of an array node (:mod:`flyte_propeller.machine.addresses`).

Identity: events by (execution, node, phase) or (attempt, phase, version); the others by (node, attempt).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from flyteidl.core.execution_pb2 import ExecutionError

from flyte_core.events import ExecutionEventRequest
from flyte_propeller.machine.state import WorkflowState
from flyte_propeller.machine.workflow import Node


@dataclass(frozen=True, slots=True)
class Ask:
    """Resolve the node's inputs and write them (for the start node: the workflow's inputs as its outputs; for the end
    node: its inputs as the workflow's outputs too).

    :ivar error: for the failure node: what the workflow failed with
    :ivar outputs_of: for a branch whose case has ended: (node, attempt) whose outputs become the branch's instead
    """

    node: int
    error: ExecutionError | None = None
    outputs_of: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class AskGraph:
    """Compile the graph that the attempt of a dynamic node has left, and keep what was compiled in the object store.

    :ivar first: index that the first node of the graph gets
    """

    node: int
    attempt: int
    first: int


@dataclass(frozen=True, slots=True)
class GatherOutputs:
    """Make lists of the outputs of an array node's elements, and write them as the node's; answered as :class:`Ask` is.

    :ivar ended: how each element has ended, as :class:`flyte_propeller.machine.array_state.ArrayState` keeps it
    """

    node: int
    ended: bytes


@dataclass(frozen=True, slots=True)
class AskPast:
    """What became of this node in the execution that is recovered? One that ended well has its inputs and outputs
    copied to this execution's folders.
    """

    node: int


@dataclass(frozen=True, slots=True)
class LookUp:
    """Is the node's result in the catalog? A result that is found is copied to the outputs of attempt 0."""

    node: int


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve the computing of the node's result, then look it up once more: who had it may have stored the result.
    With a result the reservation is given up again.
    """

    node: int


@dataclass(frozen=True, slots=True)
class Publish:
    """Store the outputs of this attempt, which has succeeded, in the catalog; then give up the reservation.

    :ivar overwrite: replace the result that is there
    :ivar reserved: there is a reservation
    """

    node: int
    attempt: int
    overwrite: bool = False
    reserved: bool = False


CacheQuestion: TypeAlias = LookUp | Reserve | Publish


@dataclass(frozen=True, slots=True)
class KeepReservation:
    """Extend the node's reservation."""

    node: int


@dataclass(frozen=True, slots=True)
class DropReservation:
    """Give up the node's reservation: it will have no result."""

    node: int


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """Report to the control plane.

    :ivar node: index of the node it is about; None for the workflow
    """

    request: ExecutionEventRequest
    node: int | None = None


@dataclass(frozen=True, slots=True)
class LaunchTask:
    """Create what runs this attempt, or find it: what a task's plugin wants, a child execution, a signal.

    :ivar checkpoint: of the execution that is recovered, for the first attempt to go on from
    """

    node: int
    attempt: int
    system_failures: int
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class DeleteTask:
    """Delete what ran this attempt, until nothing of it is left."""

    node: int
    attempt: int
    token: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Look at this node again then: a deadline."""

    node: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Finish:
    """Label the FlyteWorkflow as ended and let go of it."""


Question: TypeAlias = Ask | GatherOutputs | AskPast | CacheQuestion
Effect: TypeAlias = (
    Question | AskGraph | RecordEvent | KeepReservation | DropReservation | LaunchTask | DeleteTask | WakeAt | Finish
)


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from what is known.

    :ivar state: the new state, or the same object when nothing changed
    :ivar effects: in the order of the contract above
    :ivar grown: nodes that the workflow has got behind its own; their indices go on where those end
    :ivar touched: nodes whose state changed; the rest of the stored state stays as it is
    :ivar save: False when nothing changed that would be missed after a crash
    :ivar more: another round has something to do at once, without any new fact
    """

    state: WorkflowState
    effects: tuple[Effect, ...] = ()
    grown: tuple[Node, ...] = ()
    touched: frozenset[int] = frozenset()
    save: bool = False
    more: bool = False
