"""The channel to the control plane: errors in our terms, retries only where they can do no harm."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from flyte_core.errors import PermissionDenied
from flyte_kit.configuration.platform import PlatformConfig, is_loopback
from flyte_kit.exceptions.system import FlyteSystemException, FlyteSystemUnavailableException
from flyte_kit.exceptions.user import (
    FlyteAuthenticationException,
    FlyteEntityAlreadyExistsException,
    FlyteEntityNotExistException,
    FlyteInvalidInputException,
    FlyteTimeout,
)
from flyte_kit.remote.login.credentials import Credentials, LoginInterceptor, login_of

OPTIONS = (
    ("grpc.max_metadata_size", 32 * 1024),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 30_000),
)
ATTEMPTS = 4
FIRST_PAUSE = 0.2
_AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
_ERRORS: dict[grpc.StatusCode, type[Exception]] = {
    grpc.StatusCode.UNAUTHENTICATED: FlyteAuthenticationException,
    grpc.StatusCode.ALREADY_EXISTS: FlyteEntityAlreadyExistsException,
    grpc.StatusCode.NOT_FOUND: FlyteEntityNotExistException,
    grpc.StatusCode.INVALID_ARGUMENT: FlyteInvalidInputException,
    grpc.StatusCode.FAILED_PRECONDITION: FlyteInvalidInputException,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.DEADLINE_EXCEEDED: FlyteTimeout,
    grpc.StatusCode.UNAVAILABLE: FlyteSystemUnavailableException,
}


def open_channel(platform: PlatformConfig, credentials: Credentials | None = None) -> grpc.Channel:
    """Return a channel to a control plane; nothing is sent yet.

    gRPC asks the proxy of ``http_proxy`` for every address; no proxy reaches the loopback of this machine.

    :param credentials: port of logins; without it the login that the settings ask for
    """
    options: list[tuple[str, Any]] = [*OPTIONS]
    if platform.http_proxy_url:
        options.append(("grpc.http_proxy", platform.http_proxy_url))
    elif is_loopback(platform.endpoint):
        options.append(("grpc.enable_http_proxy", 0))
    channel = _bare_channel(platform, options)
    return grpc.intercept_channel(channel, LoginInterceptor(credentials or login_of(platform, channel)))


def _bare_channel(platform: PlatformConfig, options: list[tuple[str, Any]]) -> grpc.Channel:
    if platform.insecure:
        return grpc.insecure_channel(platform.endpoint, options=options)
    authority = None
    if platform.ca_cert_file_path:
        authority = Path(platform.ca_cert_file_path).read_bytes()
    elif platform.insecure_skip_verify:
        host, _, port = platform.endpoint.rpartition(":")
        certificate = ssl.get_server_certificate((host or platform.endpoint, int(port or 443)))
        authority = certificate.encode()
        # gRPC compares names whatever it trusts: it is told to expect one that the certificate has
        options = [*options, *(("grpc.ssl_target_name_override", name) for name in _names_of(certificate)[:1])]
    return grpc.secure_channel(platform.endpoint, grpc.ssl_channel_credentials(authority), options=options)


def _names_of(certificate: str) -> list[str]:
    """Return the host names in a certificate that signs itself; none of another."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate)
    found: list[Any] = [pair for known in context.get_ca_certs() for pair in known.get("subjectAltName", ())]
    return [name for kind, name in found if kind == "DNS"]


class Caller:
    """Makes calls.

    :param sleep: waits that many seconds
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep

    def call(self, method: Any, request: Any, *, timeout: float | None = None) -> Any:
        """Make a call and return the answer.

        It is repeated when the control plane does not answer or is too busy. All calls of this client may be
        repeated: creates carry the name of what they create.

        :raises FlyteEntityNotExistException: and the other errors of this module's table, with the server's words
        """
        for attempt in range(ATTEMPTS):
            try:
                return method(request, timeout=timeout)
            except grpc.RpcError as error:
                code = error.code()
                if code not in _AGAIN or attempt + 1 == ATTEMPTS:
                    raise translated(error) from error
                self._sleep(FIRST_PAUSE * 2**attempt)
        raise FlyteSystemUnavailableException("the control plane does not answer")


def translated(error: grpc.RpcError) -> Exception:
    """Return a call's error in our terms."""
    code, details = error.code(), error.details()
    kind = _ERRORS.get(code, FlyteSystemException)
    return kind(f"{details} ({code.name})")
