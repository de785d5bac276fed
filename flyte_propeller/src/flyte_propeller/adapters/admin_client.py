"""A FlyteAdmin over gRPC, ours or upstream's: takes events, runs child executions, keeps signals, has the past."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc.aio
from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.event_pb2 import EventFailureReason, NodeExecutionEventRequest, TaskExecutionEventRequest
from flyteidl.admin.execution_pb2 import (
    ExecutionClosure,
    ExecutionCreateRequest,
    ExecutionTerminateRequest,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.node_execution_pb2 import (
    NodeExecution,
    NodeExecutionGetDataRequest,
    NodeExecutionGetDataResponse,
    NodeExecutionGetRequest,
)
from flyteidl.admin.signal_pb2 import Signal, SignalGetOrCreateRequest
from flyteidl.core.identifier_pb2 import Identifier, NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.signal_pb2_grpc import SignalServiceStub
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status

from flyte_core.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unavailable,
    Unimplemented,
    UserError,
)
from flyte_core.events import ExecutionEventRequest, Verdict
from flyte_propeller.shell.ports import EventReply

DETAILS = "grpc-status-details-bin"
CALL_SECONDS = 30.0
VERDICTS = {
    grpc.StatusCode.ALREADY_EXISTS: Verdict.ALREADY_RECORDED,
    grpc.StatusCode.NOT_FOUND: Verdict.UNKNOWN_EXECUTION,
    grpc.StatusCode.INVALID_ARGUMENT: Verdict.REJECTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Verdict.REJECTED,
}
"""What a status says by its code alone. FAILED_PRECONDITION says it in its details; all others mean: try again."""
REFUSALS: Mapping[grpc.StatusCode, type[UserError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.OUT_OF_RANGE: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TooLarge,
}
"""What makes a request be refused for good. UNAVAILABLE is not among them, although upstream fails a node by it."""
OPTIONS = (("grpc.keepalive_time_ms", 60_000), ("grpc.keepalive_timeout_ms", 20_000))


class AdminClient:
    """Implements two ports of :mod:`flyte_propeller.shell.ports` over a channel, which stays its owner's to close:
    ``ControlPlane`` and ``PastExecutions``.

    :param call_seconds: longest time of one call
    """

    def __init__(self, channel: grpc.aio.Channel, *, call_seconds: float = CALL_SECONDS) -> None:
        self._stub = AdminServiceStub(channel)
        self._signals = SignalServiceStub(channel)
        self._call_seconds = call_seconds

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        """Report events one after the other; see the port for what the replies mean."""
        replies = []
        for event in events:
            reply = await self._record(event)
            replies.append(reply)
            if reply.verdict not in (Verdict.RECORDED, Verdict.ALREADY_RECORDED):
                break
        return replies

    async def _record(self, event: ExecutionEventRequest) -> EventReply:
        if isinstance(event, TaskExecutionEventRequest):
            call = self._stub.CreateTaskEvent
        elif isinstance(event, NodeExecutionEventRequest):
            call = self._stub.CreateNodeEvent
        else:
            call = self._stub.CreateWorkflowEvent
        try:
            await call(event, timeout=self._call_seconds)
        except grpc.aio.AioRpcError as error:
            return EventReply(verdict_of(error), error.details() or error.code().name)
        return EventReply(Verdict.RECORDED)

    async def node(self, identifier: NodeExecutionIdentifier) -> NodeExecution | None:
        """Return a node of an execution, None where there is none."""
        try:
            found: NodeExecution = await self._call(self._stub.GetNodeExecution, NodeExecutionGetRequest(id=identifier))
        except NotFound:
            return None
        return found

    async def node_data(self, identifier: NodeExecutionIdentifier) -> NodeExecutionGetDataResponse:
        """Return a node's inputs and outputs."""
        data: NodeExecutionGetDataResponse = await self._call(
            self._stub.GetNodeExecutionData, NodeExecutionGetDataRequest(id=identifier)
        )
        return data

    async def create_child(self, request: ExecutionCreateRequest) -> None:
        """Create an execution; see the port for the errors."""
        await self._call(self._stub.CreateExecution, request)

    async def get_child(self, execution: WorkflowExecutionIdentifier) -> ExecutionClosure | None:
        """Return the closure of an execution, None where there is no such one."""
        try:
            answer = await self._call(self._stub.GetExecution, WorkflowExecutionGetRequest(id=execution))
        except NotFound:
            return None
        except UserError as error:
            raise Unavailable(f"the control plane does not show execution {execution.name}: {error}") from error
        closure: ExecutionClosure = answer.closure
        return closure

    async def child_outputs(self, execution: WorkflowExecutionIdentifier) -> LiteralMap:
        """Return the outputs of an execution."""
        answer = await self._call(self._stub.GetExecutionData, WorkflowExecutionGetDataRequest(id=execution))
        if answer.outputs.url and not answer.full_outputs.literals:
            raise TooLarge(f"the outputs of {execution.name} are {answer.outputs.bytes} bytes: only a link is returned")
        outputs: LiteralMap = answer.full_outputs
        return outputs

    async def terminate_child(self, execution: WorkflowExecutionIdentifier, cause: str) -> None:
        """Terminate an execution. Refused is what has ended in between, or is not there: it stays as it is."""
        request = ExecutionTerminateRequest(id=execution, cause=cause)
        try:
            with contextlib.suppress(NotFound, FailedPrecondition):
                await self._call(self._stub.TerminateExecution, request)
        except UserError as error:
            raise Unavailable(f"the control plane does not terminate execution {execution.name}: {error}") from error

    async def get_launch_plan(self, identifier: Identifier) -> LaunchPlan | None:
        """Return a launch plan, None where there is no such one."""
        try:
            plan: LaunchPlan = await self._call(self._stub.GetLaunchPlan, ObjectGetRequest(id=identifier))
        except NotFound:
            return None
        return plan

    async def get_or_create_signal(self, request: SignalGetOrCreateRequest) -> Signal:
        """Return a signal; see the port for the errors."""
        signal: Signal = await self._call(self._signals.GetOrCreateSignal, request)
        return signal

    async def _call(self, method: Callable[..., Awaitable[Any]], request: Message) -> Any:
        """Call a method that is no event's.

        :raises flyte_core.errors.UserError: if the control plane refuses the request; NotFound, AlreadyExists and
            FailedPrecondition where it says so
        :raises flyte_core.errors.Unavailable: for everything else: the same request may be taken later
        """
        try:
            return await method(request, timeout=self._call_seconds)
        except grpc.aio.AioRpcError as error:
            refusal = REFUSALS.get(error.code())
            if refusal is not None:
                raise refusal(error.details() or error.code().name) from error
            raise Unavailable(f"the control plane answered {error.code().name}: {error.details()}") from error


def open_channel(address: str, *, insecure: bool = False) -> grpc.aio.Channel:
    """Return a channel to the control plane.

    :param address: ``host:port``, as gRPC takes it
    :param insecure: True for one without TLS
    """
    if insecure:
        return grpc.aio.insecure_channel(address, options=OPTIONS)
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(), options=OPTIONS)


def verdict_of(error: grpc.aio.AioRpcError) -> Verdict:
    """Return what this refusal means.

    :raises flyte_core.errors.Unavailable: if it is none: the same event may be taken later
    """
    verdict = VERDICTS.get(error.code())
    if verdict is not None:
        return verdict
    if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
        match failure_reason(error).WhichOneof("reason"):
            case "already_in_terminal_state":
                return Verdict.TERMINAL
            case "incompatible_cluster":
                return Verdict.FOREIGN_CLUSTER
    raise Unavailable(f"the control plane answered {error.code().name}: {error.details()}") from error


def failure_reason(error: grpc.aio.AioRpcError) -> EventFailureReason:
    """Return the reason that upstream packs into the status's details; an empty one where there is none."""
    reason = EventFailureReason()
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS and isinstance(value, bytes):
            try:
                status = Status.FromString(value)
            except DecodeError:
                continue  # somebody else's details
            for detail in status.details:
                if detail.Unpack(reason):
                    return reason
    return reason
