"""The client of the control plane, against a real gRPC server that answers as upstream's does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest
from flyteidl.admin.event_pb2 import (
    EventErrorAlreadyInTerminalState,
    EventErrorIncompatibleCluster,
    EventFailureReason,
    NodeExecutionEventRequest,
    NodeExecutionEventResponse,
    TaskExecutionEventRequest,
    TaskExecutionEventResponse,
    WorkflowExecutionEventRequest,
    WorkflowExecutionEventResponse,
)
from flyteidl.admin.execution_pb2 import (
    Execution,
    ExecutionClosure,
    ExecutionCreateRequest,
    ExecutionCreateResponse,
    ExecutionTerminateResponse,
    WorkflowExecutionGetDataResponse,
)
from flyteidl.admin.node_execution_pb2 import NodeExecution, NodeExecutionGetDataResponse
from flyteidl.admin.signal_pb2 import Signal, SignalGetOrCreateRequest
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, SignalIdentifier, WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server
from flyteidl.service.signal_pb2_grpc import SignalServiceServicer, add_SignalServiceServicer_to_server
from google.rpc.status_pb2 import Status

from flyte_core.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound, TooLarge, Unavailable
from flyte_core.events import Verdict
from flyte_propeller.adapters.admin_client import AdminClient, open_channel

TERMINAL = EventFailureReason(already_in_terminal_state=EventErrorAlreadyInTerminalState(current_phase="FAILED"))
FOREIGN = EventFailureReason(incompatible_cluster=EventErrorIncompatibleCluster(cluster="other"))
CHILD = WorkflowExecutionIdentifier(project="p", domain="d", name="child")
CLOSURE = ExecutionClosure(phase=WorkflowExecution.RUNNING)
EVENTS = (WorkflowExecutionEventRequest(), NodeExecutionEventRequest(), TaskExecutionEventRequest())


class Admin(AdminServiceServicer):
    """Answers each call with the next of its answers: None, or a code and the reason in its details."""

    def __init__(self) -> None:
        self.answers: list[tuple[grpc.StatusCode, EventFailureReason | None] | None] = []
        self.called: list[str] = []
        self.causes: list[str] = []
        self.data = WorkflowExecutionGetDataResponse()

    async def _answer(self, name: str, context: grpc.aio.ServicerContext) -> None:
        self.called.append(name)
        answer = self.answers.pop(0)
        if answer is not None:
            code, reason = answer
            if reason is not None:
                status = Status(code=code.value[0])
                status.details.add().Pack(reason)
                context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            await context.abort(code, f"no {name}")

    async def CreateWorkflowEvent(self, request, context):
        await self._answer("workflow", context)
        return WorkflowExecutionEventResponse()

    async def CreateNodeEvent(self, request, context):
        await self._answer("node", context)
        return NodeExecutionEventResponse()

    async def CreateTaskEvent(self, request, context):
        await self._answer("task", context)
        return TaskExecutionEventResponse()

    async def GetNodeExecution(self, request, context):
        await self._answer("get", context)
        return NodeExecution(id=request.id)

    async def GetNodeExecutionData(self, request, context):
        await self._answer("get data", context)
        return NodeExecutionGetDataResponse(full_outputs={"literals": {"o": {"hash": "h"}}})

    async def CreateExecution(self, request, context):
        await self._answer("create", context)
        return ExecutionCreateResponse(id=CHILD)

    async def GetExecution(self, request, context):
        await self._answer("get", context)
        return Execution(id=request.id, closure=CLOSURE)

    async def GetExecutionData(self, request, context):
        await self._answer("data", context)
        return self.data

    async def TerminateExecution(self, request, context):
        self.causes.append(request.cause)
        await self._answer("terminate", context)
        return ExecutionTerminateResponse()


class Signals(SignalServiceServicer):
    """Has every signal, without a value."""

    async def GetOrCreateSignal(self, request, context):
        if not request.id.signal_id:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "missing id.signal_id")
        return Signal(id=request.id, type=request.type)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Admin, AdminClient]]:
    admin, grpc_server = Admin(), grpc.aio.server()
    add_AdminServiceServicer_to_server(admin, grpc_server)
    add_SignalServiceServicer_to_server(Signals(), grpc_server)
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    async with open_channel(f"127.0.0.1:{port}", insecure=True) as channel:
        yield admin, AdminClient(channel, call_seconds=5)
    await grpc_server.stop(0)


async def test_events_go_to_their_calls_in_order(server: tuple[Admin, AdminClient]) -> None:
    admin, client = server
    admin.answers = [None, (grpc.StatusCode.ALREADY_EXISTS, None), None]
    replies = await client.record(EVENTS)
    assert [reply.verdict for reply in replies] == [Verdict.RECORDED, Verdict.ALREADY_RECORDED, Verdict.RECORDED]
    assert admin.called == ["workflow", "node", "task"]


@pytest.mark.parametrize(
    ("code", "reason", "verdict"),
    [
        (grpc.StatusCode.NOT_FOUND, None, Verdict.UNKNOWN_EXECUTION),
        (grpc.StatusCode.INVALID_ARGUMENT, None, Verdict.REJECTED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, None, Verdict.REJECTED),
        (grpc.StatusCode.FAILED_PRECONDITION, TERMINAL, Verdict.TERMINAL),
        (grpc.StatusCode.FAILED_PRECONDITION, FOREIGN, Verdict.FOREIGN_CLUSTER),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_the_first_refusal_ends_the_batch_and_says_why(server, code, reason, verdict) -> None:
    admin, client = server
    admin.answers = [None, (code, reason)]
    replies = await client.record(EVENTS)
    assert [reply.verdict for reply in replies] == [Verdict.RECORDED, verdict]
    assert replies[-1].message == "no node"


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.FAILED_PRECONDITION,
    ],
    ids=lambda code: code.name,
)
async def test_everything_else_is_tried_again(server, code) -> None:
    admin, client = server
    admin.answers = [(code, None)]
    with pytest.raises(Unavailable, match=code.name):
        await client.record(EVENTS)


async def test_a_server_that_is_not_there_is_an_outage() -> None:
    async with open_channel("127.0.0.1:1", insecure=True) as channel:
        with pytest.raises(Unavailable):
            await AdminClient(channel, call_seconds=2).record(EVENTS)


async def test_a_node_of_the_past_is_read_and_one_that_is_not_there_is_none(server: tuple[Admin, AdminClient]) -> None:
    admin, client = server
    admin.answers = [None, (grpc.StatusCode.NOT_FOUND, None), None, (grpc.StatusCode.NOT_FOUND, None)]
    node = NodeExecutionIdentifier(node_id="n0")
    found = await client.node(node)
    assert found is not None
    assert found.id == node
    assert await client.node(node) is None
    assert (await client.node_data(node)).full_outputs.literals["o"].hash == "h"
    with pytest.raises(NotFound):
        await client.node_data(node)


async def test_a_past_that_cannot_be_read_now_is_an_outage(server: tuple[Admin, AdminClient]) -> None:
    admin, client = server
    admin.answers = [(grpc.StatusCode.INTERNAL, None), (grpc.StatusCode.UNAVAILABLE, None)]
    for call in (client.node, client.node_data):
        with pytest.raises(Unavailable):
            await call(NodeExecutionIdentifier(node_id="n0"))


async def test_a_child_is_created_looked_at_and_terminated(server: tuple[Admin, AdminClient]) -> None:
    admin, client = server
    admin.answers = [None] * 3
    await client.create_child(ExecutionCreateRequest(name="child"))
    assert await client.get_child(CHILD) == CLOSURE
    await client.terminate_child(CHILD, "enough")
    assert admin.called == ["create", "get", "terminate"]
    assert admin.causes == ["enough"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.ALREADY_EXISTS, AlreadyExists),
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidInput),
        (grpc.StatusCode.NOT_FOUND, NotFound),
        (grpc.StatusCode.FAILED_PRECONDITION, FailedPrecondition),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, TooLarge),
        (grpc.StatusCode.UNAVAILABLE, Unavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Unavailable),
        (grpc.StatusCode.UNAUTHENTICATED, Unavailable),
        (grpc.StatusCode.UNKNOWN, Unavailable),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_refused_child_is_told_from_an_outage(server, code, error) -> None:
    admin, client = server
    admin.answers = [(code, None)]
    with pytest.raises(error, match="no create"):
        await client.create_child(ExecutionCreateRequest(name="child"))


async def test_a_child_that_is_not_there_is_none_and_needs_no_end(server: tuple[Admin, AdminClient]) -> None:
    admin, client = server
    admin.answers = [(grpc.StatusCode.NOT_FOUND, None)] * 2
    assert await client.get_child(CHILD) is None
    await client.terminate_child(CHILD, "enough")
    admin.answers = [(grpc.StatusCode.FAILED_PRECONDITION, TERMINAL)]
    await client.terminate_child(CHILD, "enough")


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL], ids=lambda c: c.name)
async def test_looking_at_a_child_or_ending_it_is_never_refused_for_good(server, code) -> None:
    admin, client = server
    admin.answers = [(code, None)] * 2
    with pytest.raises(Unavailable):
        await client.get_child(CHILD)
    with pytest.raises(Unavailable):
        await client.terminate_child(CHILD, "enough")


async def test_outputs_that_are_too_large_to_be_returned_are_an_error(server: tuple[Admin, AdminClient]) -> None:
    admin, client = server
    admin.answers = [None] * 2
    admin.data.full_outputs.literals["o"].scalar.primitive.integer = 3
    assert await client.child_outputs(CHILD) == admin.data.full_outputs
    admin.data.Clear()
    admin.data.outputs.url = "https://bucket/outputs.pb"
    with pytest.raises(TooLarge, match="child"):
        await client.child_outputs(CHILD)


async def test_signals_are_asked_for(server: tuple[Admin, AdminClient]) -> None:
    _, client = server
    identifier = SignalIdentifier(signal_id="go", execution_id=CHILD)
    assert (await client.get_or_create_signal(SignalGetOrCreateRequest(id=identifier))).id == identifier
    with pytest.raises(InvalidInput, match=r"missing id\.signal_id"):
        await client.get_or_create_signal(SignalGetOrCreateRequest())
