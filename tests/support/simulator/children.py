"""Child executions and signals of the simulated world: what the control plane has beside the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionCreateRequest
from flyteidl.admin.signal_pb2 import Signal, SignalGetOrCreateRequest
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import Literal, Primitive, Scalar
from flyteidl.core.types_pb2 import SimpleType

from flyte_core.clock import Clock
from flyte_core.errors import AlreadyExists, NotFound
from simulator.pods import Place
from simulator.scenarios import BROKEN, HANGS, OK

ENDED = (WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED)
SIGNALLED = 5
"""Value of every signal that is not an approval."""


@dataclass
class Child:
    """An execution that a launch plan node has started."""

    place: Place
    fate: str
    total: int
    closure: ExecutionClosure = field(default_factory=ExecutionClosure)

    @property
    def ended(self) -> bool:
        """Nothing of it runs any more."""
        return self.closure.phase in ENDED


class Children:
    """All child executions, by name, and all signals.

    :param fate_of: (execution, node, attempt counted from 0) → what becomes of that child, or of that signal
    :ivar overlaps: children that were created before the one before had ended
    """

    def __init__(self, clock: Clock, fate_of: Callable[[str, str, int], str]) -> None:
        self._clock = clock
        self._fate_of = fate_of
        self.known: dict[str, Child] = {}
        self.signals: dict[Place, Signal] = {}
        self.attempts: Counter[Place] = Counter()
        self.overlaps: list[str] = []

    def create(self, request: ExecutionCreateRequest) -> None:
        """Create an execution, once."""
        if request.name in self.known:
            raise AlreadyExists(f"{request.name} exists")
        node = request.spec.metadata.parent_node_execution
        place = (node.execution_id.name, node.node_id)
        self.overlaps += [request.name for other in self.known.values() if other.place == place and not other.ended]
        total = 1 + sum(value.scalar.primitive.integer for value in request.inputs.literals.values())
        self.known[request.name] = Child(place, self._fate_of(*place, self.attempts[place]), total)
        self.attempts[place] += 1

    def get(self, execution: WorkflowExecutionIdentifier) -> ExecutionClosure | None:
        """Return how the execution is now."""
        child = self.known.get(execution.name)
        return ExecutionClosure.FromString(child.closure.SerializeToString()) if child is not None else None

    def terminate(self, execution: WorkflowExecutionIdentifier) -> None:
        """Set ABORTING; the end comes later."""
        child = self.known.get(execution.name)
        if child is None:
            raise NotFound(f"{execution.name} is not there")
        if not child.ended:
            child.closure.phase = WorkflowExecution.ABORTING
            child.closure.updated_at.FromDatetime(self._clock.now())

    def step(self, name: str) -> None:
        """Let the execution come one step forward."""
        child = self.known[name]
        closure = child.closure
        if closure.phase == WorkflowExecution.ABORTING:
            closure.phase = WorkflowExecution.ABORTED
        elif closure.phase == WorkflowExecution.UNDEFINED:
            closure.phase = WorkflowExecution.RUNNING
        elif closure.phase == WorkflowExecution.RUNNING and child.fate == OK:
            closure.phase = WorkflowExecution.SUCCEEDED
            closure.outputs.values.literals["o"].CopyFrom(_integer(child.total))
        elif closure.phase == WorkflowExecution.RUNNING and child.fate == BROKEN:
            closure.phase = WorkflowExecution.FAILED
            closure.error.CopyFrom(ExecutionError(code=BROKEN, message="broken!", kind=ExecutionError.USER))

    def open(self) -> list[str]:
        """Return the names of those that have not ended."""
        return [name for name, child in self.known.items() if not child.ended]

    def of(self, execution: str) -> list[str]:
        """Return the names of the execution's children that have not ended."""
        return [name for name in self.open() if self.known[name].place[0] == execution]

    def end_aborting(self) -> None:
        """End what is being aborted: before a time passes in which all of it would have ended."""
        for name in self.open():
            if self.known[name].closure.phase == WorkflowExecution.ABORTING:
                self.step(name)

    def signal(self, request: SignalGetOrCreateRequest) -> Signal:
        """Return the signal of that name."""
        place = (request.id.execution_id.name, request.id.signal_id)
        return self.signals.setdefault(place, Signal(id=request.id, type=request.type))

    def unset(self) -> list[Place]:
        """Return the signals that somebody will set and has not."""
        return [p for p, s in self.signals.items() if not s.HasField("value") and self._fate_of(*p, 0) != HANGS]

    def set_signal(self, place: Place) -> Signal:
        """Give the signal its value: an approval, or a refusal where the scenario has the node broken."""
        signal = self.signals[place]
        if signal.type.simple == SimpleType.BOOLEAN:
            approves = self._fate_of(*place, 0) == OK
            signal.value.CopyFrom(Literal(scalar=Scalar(primitive=Primitive(boolean=approves))))
        else:
            signal.value.CopyFrom(_integer(SIGNALLED))
        return signal


def _integer(value: int) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(integer=value)))
