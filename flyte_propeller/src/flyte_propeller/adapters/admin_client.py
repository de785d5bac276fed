"""Reports events to a FlyteAdmin over gRPC, and reads past executions from it: ours, or upstream's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc.aio
from flyteidl.admin.event_pb2 import EventFailureReason, NodeExecutionEventRequest, TaskExecutionEventRequest
from flyteidl.admin.node_execution_pb2 import (
    NodeExecution,
    NodeExecutionGetDataRequest,
    NodeExecutionGetDataResponse,
    NodeExecutionGetRequest,
)
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from flyte_core.errors import NotFound, Unavailable
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
OPTIONS = (("grpc.keepalive_time_ms", 60_000), ("grpc.keepalive_timeout_ms", 20_000))


class AdminClient:
    """Implements two ports of :mod:`flyte_propeller.shell.ports` over a channel, which stays its owner's to close:
    ``AdminEvents`` and ``PastExecutions``.

    :param call_seconds: longest time of one call
    """

    def __init__(self, channel: grpc.aio.Channel, *, call_seconds: float = CALL_SECONDS) -> None:
        self._stub = AdminServiceStub(channel)
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
            return await self._read(self._stub.GetNodeExecution, NodeExecutionGetRequest(id=identifier))
        except NotFound:
            return None

    async def node_data(self, identifier: NodeExecutionIdentifier) -> NodeExecutionGetDataResponse:
        """Return a node's inputs and outputs."""
        return await self._read(self._stub.GetNodeExecutionData, NodeExecutionGetDataRequest(id=identifier))

    async def _read(self, call: Any, request: Any) -> Any:
        try:
            return await call(request, timeout=self._call_seconds)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise NotFound(error.details() or "not found") from error
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
