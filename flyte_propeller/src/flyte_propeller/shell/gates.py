"""Gates: what they wait for is looked up in the control plane, or is the time that passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flyteidl.admin.signal_pb2 import Signal, SignalGetOrCreateRequest
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.identifier_pb2 import SignalIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_core.clock import Clock
from flyte_core.errors import UserError
from flyte_core.phases import TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.event_requests import failure
from flyte_propeller.machine.state import AttemptKey
from flyte_propeller.machine.task_nodes import SUBMITTED
from flyte_propeller.machine.workflow import Node, Workflow
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.inputs import inputs_of
from flyte_propeller.shell.polling import look_again, started_at
from flyte_propeller.shell.ports import Launched, Signals

REJECTED = "received a reject signal to disapprove the node input values"
SLEEP = "sleep"
"""Token of a gate that waits for nobody."""
_BOOLEAN = LiteralType(simple=SimpleType.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of one propeller's executions."""

    admin: Signals
    store: BlobStore
    clock: Clock

    async def launch(self, execution: Execution, key: AttemptKey) -> Launched | PhaseInfo:
        """Have the control plane know the signal, so that it can be set once the node is shown as running.

        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        node = execution.workflow.nodes[key[0]]
        if node.sleeps:
            return Launched(SLEEP)
        signal = await self._signal(execution.workflow, node)
        return signal if isinstance(signal, PhaseInfo) else Launched(signal.id.signal_id)

    async def observe(self, execution: Execution, key: AttemptKey) -> PhaseInfo:
        """Return whether the gate is open. Of one that is, the outputs are written.

        :raises flyte_core.errors.Unavailable: if the control plane or the store does not answer
        """
        index, attempt = key
        node = execution.workflow.nodes[index]
        if node.sleeps:
            return self._sleep(execution, index, node)
        signal = await self._signal(execution.workflow, node)
        if isinstance(signal, PhaseInfo):
            return signal
        if signal.value.WhichOneof("value") is None:
            look_again(execution, index, started_at(execution, index), self.clock.now())
            return SUBMITTED
        outputs = await self._outputs(execution, node, signal)
        if isinstance(outputs, PhaseInfo):
            return outputs
        uri = execution.workflow.paths_of(node).outputs(attempt)
        await self.store.write(uri, outputs.SerializeToString(deterministic=True))
        return PhaseInfo(TaskPhase.SUCCESS)

    def _sleep(self, execution: Execution, index: int, node: Node) -> PhaseInfo:
        assert node.gate is not None, "a node that sleeps is a gate"
        now, started = self.clock.now(), started_at(execution, index)
        end = (started or now) + _length(node)
        if now >= end:
            return PhaseInfo(TaskPhase.SUCCESS)
        execution.timers.poll(end, index, now)
        return SUBMITTED

    async def _signal(self, workflow: Workflow, node: Node) -> Signal | PhaseInfo:
        request = signal_request(workflow, node)
        try:
            return await self.admin.get_or_create_signal(request)
        except UserError as error:
            text = f"signal [{request.id.signal_id}] is refused: {error}"
            return _failed("RuntimeExecutionError", text, ExecutionError.SYSTEM)

    async def _outputs(self, execution: Execution, node: Node, signal: Signal) -> LiteralMap | PhaseInfo:
        """Return the signal's value, or, where it approves them, the node's inputs."""
        assert node.gate is not None, "only a gate has a signal"
        if node.gate.HasField("signal"):
            return LiteralMap(literals={node.gate.signal.output_variable_name: signal.value})
        primitive = signal.value.scalar.primitive
        if primitive.WhichOneof("value") != "boolean":
            text = f"received a non-boolean approve signal value [{signal.value}]"
            return _failed("RuntimeExecutionError", text, ExecutionError.UNKNOWN)
        if not primitive.boolean:
            return _failed("ReceivedRejectSignal", REJECTED, ExecutionError.USER)
        return await inputs_of(execution, self.store, node.index)


def signal_request(workflow: Workflow, node: Node) -> SignalGetOrCreateRequest:
    """Return the request for the signal that the gate waits for; an approval is a signal with a boolean."""
    assert node.gate is not None, "only a gate waits for a signal"
    approves = node.gate.HasField("approve")
    condition = node.gate.approve if approves else node.gate.signal
    identifier = SignalIdentifier(signal_id=condition.signal_id, execution_id=workflow.execution)
    return SignalGetOrCreateRequest(id=identifier, type=_BOOLEAN if approves else node.gate.signal.type)


def _length(node: Node) -> timedelta:
    assert node.gate is not None, "only a gate sleeps"
    length: timedelta = node.gate.sleep.duration.ToTimedelta()
    return length


def _failed(code: str, message: str, kind: ExecutionError.ErrorKind) -> PhaseInfo:
    return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=failure(code, message, kind))
