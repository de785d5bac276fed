"""Finds the control plane that a command talks to, and opens a channel to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.up.settings import default_data_dir
from flyte_core.errors import ConfigError, FlyteError, NotFound, Unavailable
from flyte_kit.configuration.platform import Config
from flyte_kit.configuration.sources import find_file
from flyte_kit.remote.channel import open_channel

CALL_SECONDS = 30.0
"""Deadline of one call."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the control plane listens.

    :ivar config: all settings of a client
    :ivar source: where this was found, for messages
    """

    config: Config
    source: str

    @property
    def target(self) -> str:
        """``host:port`` of gRPC."""
        return self.config.platform.endpoint

    @property
    def http_url(self) -> str:
        """Base of REST and log pages; empty when unknown."""
        return os.environ.get("FLYTE_HTTP_URL") or self.config.platform.console_endpoint or ""


def find_endpoint() -> Endpoint:
    """Return the endpoint of ``FLYTE_PLATFORM_URL``, else of ``FLYTECTL_CONFIG`` (``--config``), else of a file in
    ``~/.flyte``, else of the local ``flyte up``.

    :raises flyte_core.errors.ConfigError: if there is none, or its file cannot be read
    """
    file = find_file()
    if os.environ.get("FLYTE_PLATFORM_URL"):
        return Endpoint(Config.auto(file), "FLYTE_PLATFORM_URL")
    path = file or default_data_dir() / "config.yaml"
    if not path.exists():
        raise ConfigError(
            f"no server is known: start one with `flyte up`, or name one with --config, FLYTECTL_CONFIG or "
            f"FLYTE_PLATFORM_URL ({path} is missing)"
        )
    return Endpoint(Config.auto(path), str(path))


@contextmanager
def connected(endpoint: Endpoint | None = None) -> Iterator[grpc.Channel]:
    """Yield a channel for stubs of any service; gRPC errors leave as errors of the product."""
    found = endpoint or find_endpoint()
    with open_channel(found.config.platform) as channel:
        try:
            yield channel
        except grpc.RpcError as error:
            raise translated(error, found) from error


@contextmanager
def admin(endpoint: Endpoint | None = None) -> Iterator[AdminServiceStub]:
    """Yield a stub of AdminService; gRPC errors leave as errors of the product."""
    with connected(endpoint) as channel:
        yield AdminServiceStub(channel)


def translated(error: grpc.RpcError, endpoint: Endpoint) -> FlyteError:
    """Return what a failed call means for the user."""
    code, details = error.code(), error.details()
    if code is grpc.StatusCode.UNAVAILABLE:
        return Unavailable(f"no server answers at {endpoint.target} (from {endpoint.source}): {details}")
    if code is grpc.StatusCode.NOT_FOUND:
        return NotFound(str(details))
    return FlyteError(f"{code.name}: {details}")
