"""The gRPC server itself: limits, statuses, health, reflection, and that nothing comes out as UNKNOWN."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import grpc
import pytest
from flyteidl.admin.event_pb2 import EventErrorAlreadyInTerminalState, EventFailureReason
from flyteidl.admin.matchable_resource_pb2 import ListMatchableAttributesRequest
from flyteidl.admin.version_pb2 import GetVersionRequest
from flyteidl.service import admin_pb2
from flyteidl.service.auth_pb2 import PublicClientAuthConfigRequest
from flyteidl.service.auth_pb2_grpc import AuthMetadataServiceStub
from flyteidl.service.identity_pb2 import UserInfoRequest
from flyteidl.service.identity_pb2_grpc import IdentityServiceStub
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from flyte_admin.rpc.errors import LONGEST_MESSAGE, status_of
from flyte_admin.rpc.methods import service_methods
from flyte_core.errors import ConfigError, Conflict, FlyteError, InvalidInput, PluginError, TooLarge, Unavailable

Code = grpc.StatusCode


async def failure(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_a_message_above_the_limit_is_refused_and_the_server_lives_on(sqlite_admin: Any, make: Any) -> None:
    request = make.task()
    request.spec.template.container.args.append("x" * 25 * 1024 * 1024)
    error = await failure(sqlite_admin.stub.CreateTask(request))
    assert error.code() is Code.RESOURCE_EXHAUSTED
    assert (await sqlite_admin.stub.GetVersion(GetVersionRequest())).control_plane_version.Version


async def test_a_message_below_the_limit_passes(sqlite_admin: Any, make: Any) -> None:
    request = make.task()
    request.spec.template.container.args.append("x" * 8 * 1024 * 1024)
    await sqlite_admin.stub.CreateTask(request)


async def test_bytes_that_are_no_message_are_an_invalid_argument(sqlite_admin: Any) -> None:
    call = sqlite_admin.channel.unary_unary("/flyteidl.service.AdminService/CreateTask")
    assert (await failure(call(b"\xff\xff\xff"))).code() is Code.INVALID_ARGUMENT


async def test_methods_that_are_not_there_say_so(sqlite_admin: Any) -> None:
    error = await failure(sqlite_admin.stub.ListMatchableAttributes(ListMatchableAttributesRequest()))
    assert error.code() is Code.UNIMPLEMENTED
    assert "ListMatchableAttributes" in error.details()
    for call in (
        AuthMetadataServiceStub(sqlite_admin.channel).GetPublicClientConfig(PublicClientAuthConfigRequest()),
        IdentityServiceStub(sqlite_admin.channel).UserInfo(UserInfoRequest()),
    ):
        error = await failure(call)
        assert error.code() is Code.UNIMPLEMENTED
        assert "authentication is off" in error.details()


async def test_every_method_answers_an_empty_request_with_a_status_that_starts_no_login(sqlite_admin: Any) -> None:
    for method in admin_pb2.DESCRIPTOR.services_by_name["AdminService"].methods:
        call = sqlite_admin.channel.unary_unary(f"/flyteidl.service.AdminService/{method.name}")
        pending = call(b"", timeout=5)
        allowed = (Code.OK, Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED, Code.NOT_FOUND)
        assert await pending.code() in allowed, (method.name, await pending.details())


async def test_a_fault_of_the_program_is_internal_with_the_clients_request_id_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(_request: Any) -> Any:
        raise ZeroDivisionError("secret")

    methods = service_methods(admin_pb2.DESCRIPTOR.services_by_name["AdminService"], {"GetVersion": broken})
    with caplog.at_level(logging.ERROR):
        status = await methods["GetVersion"].answer(GetVersionRequest(), "a-123")
    assert status.code is Code.INTERNAL
    assert "a-123" in status.message
    assert "secret" not in status.message
    (record,) = caplog.records
    assert (record.request_id, record.method) == ("a-123", "/flyteidl.service.AdminService/GetVersion")
    assert record.exc_info


async def test_health_is_told_for_the_server_and_under_upstreams_name(sqlite_admin: Any) -> None:
    stub = health_pb2_grpc.HealthStub(sqlite_admin.channel)
    for service in ("", "flyteadmin"):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_the_services(sqlite_admin: Any) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(sqlite_admin.channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    answer = await call.read()
    names = {service.name for service in answer.list_services_response.service}
    assert {"flyteidl.service.AdminService", "flyteidl.service.SignalService", "grpc.health.v1.Health"} <= names


@pytest.mark.slow
async def test_a_client_that_pings_often_without_calls_is_not_sent_away(sqlite_admin: Any) -> None:
    options = [
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_timeout_ms", 2000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    async with grpc.aio.insecure_channel(sqlite_admin.app.grpc_address, options=options) as channel:
        await channel.channel_ready()
        await asyncio.sleep(4.5)  # with gRPC's defaults the third ping ends the connection
        assert channel.get_state() is grpc.ChannelConnectivity.READY


def test_each_error_has_a_status_and_a_long_text_is_cut() -> None:
    class OfAPackage(InvalidInput):
        pass

    expected = [
        (OfAPackage("x"), Code.INVALID_ARGUMENT, 400),
        (TooLarge("x"), Code.RESOURCE_EXHAUSTED, 429),
        (Unavailable("x"), Code.UNAVAILABLE, 503),
        (Conflict("x"), Code.ABORTED, 409),
        (PluginError("p", "x"), Code.INTERNAL, 500),
        (ConfigError("x"), Code.INTERNAL, 500),
        (FlyteError("x"), Code.INTERNAL, 500),
    ]
    for error, code, http_status in expected:
        status = status_of(error)
        assert (status.code, status.http_status) == (code, http_status), error


async def test_a_very_long_text_with_details_reaches_upstreams_client(sqlite_admin: Any) -> None:
    class Refused(InvalidInput):
        detail = EventFailureReason(
            already_in_terminal_state=EventErrorAlreadyInTerminalState(current_phase="SUCCEEDED")
        )

    for text in ("a" * 100_000, "ä%\n" * 30_000):
        for error in (InvalidInput(text), Refused(text)):
            status = status_of(error)
            encoded = sum(1 if 32 <= b < 127 and b != 37 else 3 for b in status.message.encode())
            encoded += sum(len(value) * 4 // 3 for _, value in status.trailing_metadata())
            assert encoded <= LONGEST_MESSAGE + 200
            assert "truncated" in status.message
            assert len(status.message.encode()) <= LONGEST_MESSAGE
