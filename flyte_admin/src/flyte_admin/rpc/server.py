"""The gRPC server: the services of the table, health and reflection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from flyte_admin.rpc.errors import Status
from flyte_admin.rpc.methods import Method
from flyte_core.errors import ConfigError

HEALTH_SERVICE = "flyteadmin"
"""Name under which upstream's clients and probes ask for the health."""

Services: TypeAlias = Mapping[str, Mapping[str, Method]]
"""Methods by the full name of their service, by their own name."""

_MALFORMED = Status(
    grpc.StatusCode.INVALID_ARGUMENT, "the request is not a protobuf message of this method, or nests too deeply"
)


class GrpcServer:
    """One grpc.aio server on one address.

    :param services: what it serves
    :param max_message_bytes: largest request; a larger one is answered RESOURCE_EXHAUSTED
    """

    def __init__(self, services: Services, *, max_message_bytes: int) -> None:
        self._server = grpc.aio.server(options=_options(max_message_bytes))
        self._health = health.aio.HealthServicer()
        for name, methods in services.items():
            handlers = {method_name: _unary(method) for method_name, method in methods.items()}
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection([*services, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)

    async def start(self, address: str) -> str:
        """Listen on ``host:port`` (port 0: any free one) and return the address with its port.

        :raises ConfigError: if the address cannot be bound
        """
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise ConfigError(f"server.grpc_address: cannot listen on {address}: it is in use or not local") from error
        await self._server.start()
        for service in ("", HEALTH_SERVICE):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        return f"{address.rpartition(':')[0]}:{port}"

    async def stop(self, grace: float) -> None:
        """Say NOT_SERVING, take no new calls, and cancel those that are not over after ``grace`` seconds."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)


def _options(max_message_bytes: int) -> list[tuple[str, int]]:
    """Upstream's client pings each 30 s, also without calls; with the defaults it would be told to calm down."""
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.so_reuseport", 0),  # a second server on this port must fail, not share it
        ("grpc.max_metadata_size", 32 * 1024),
    ]


def _unary(method: Method) -> grpc.RpcMethodHandler[Any, Any]:
    parse = method.request_class.FromString

    def deserialize(data: bytes) -> Message | Status:
        try:
            return parse(data)
        except DecodeError:  # raised here, gRPC would answer INTERNAL; the call below answers instead
            return _MALFORMED

    async def call(request: Message | Status, context: grpc.aio.ServicerContext[Any, Any]) -> Message:
        answer = request if isinstance(request, Status) else await method.answer(request, _request_id(context))
        if not isinstance(answer, Status):
            return answer
        await context.abort(answer.code, answer.message, answer.trailing_metadata())

    return grpc.unary_unary_rpc_method_handler(call, request_deserializer=deserialize, response_serializer=_serialize)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _request_id(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == "x-request-id" and isinstance(value, str):
            return value[:128]
    return ""
