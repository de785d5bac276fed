"""Finds the control plane that a command talks to, and opens a channel to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import grpc
import yaml
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.up.settings import default_data_dir
from flyte_core.errors import ConfigError, FlyteError, NotFound, Unavailable

CALL_SECONDS = 30.0
"""Deadline of one call."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the control plane listens.

    :ivar target: ``host:port`` of gRPC
    :ivar http_url: base of REST and log pages; empty when unknown
    :ivar source: where this was found, for messages
    """

    target: str
    http_url: str
    source: str


def find_endpoint() -> Endpoint:
    """Return the endpoint of ``FLYTE_PLATFORM_URL``, else of ``FLYTECTL_CONFIG``, else of the local ``flyte up``.

    :raises flyte_core.errors.ConfigError: if there is none, or its file cannot be read
    """
    if url := os.environ.get("FLYTE_PLATFORM_URL"):
        return Endpoint(_target(url), os.environ.get("FLYTE_HTTP_URL", ""), "FLYTE_PLATFORM_URL")
    given = os.environ.get("FLYTECTL_CONFIG")
    path = Path(given) if given else default_data_dir() / "config.yaml"
    if not path.exists():
        raise ConfigError(f"no server is known: start one with `flyte up`, or set FLYTECTL_CONFIG ({path} is missing)")
    try:
        config: Any = yaml.safe_load(path.read_text())
        target = _target(config["admin"]["endpoint"])
        return Endpoint(target, (config.get("console") or {}).get("endpoint", ""), str(path))
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: admin.endpoint is missing or the file is not YAML: {error}") from error


def _target(url: str) -> str:
    return url.removeprefix("dns:///").removeprefix("http://").removeprefix("https://").rstrip("/")


@contextmanager
def connected(endpoint: Endpoint | None = None) -> Iterator[grpc.Channel]:
    """Yield a channel for stubs of any service; gRPC errors leave as errors of the product."""
    found = endpoint or find_endpoint()
    with grpc.insecure_channel(found.target) as channel:
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


project_option = click.option("-p", "--project", default="flytesnacks", show_default=True, help="Project.")
domain_option = click.option("-d", "--domain", default="development", show_default=True, help="Domain.")
