"""Fixtures for users' own tests against a whole Flyte; pytest finds them by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flyte_kit.configuration.platform import Config
from flyte_kit.remote import FlyteRemote

STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class RunningFlyte:
    """A `flyte up` of its own.

    :ivar data: folder of everything that it keeps
    :ivar config: file for clients: ``FLYTECTL_CONFIG`` of programs that are to use it
    """

    data: Path
    config: Path

    def remote(self, project: str = "flytesnacks", domain: str = "development") -> FlyteRemote:
        """Return a client; the caller closes it."""
        return FlyteRemote(Config.auto(self.config), project, domain)


@pytest.fixture(scope="session")
def flyte_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFlyte]:
    """Start `flyte up` for the tests of this session, on free ports of the loopback, and stop it at their end.

    Tasks run in the environment that runs the tests.
    """
    data = tmp_path_factory.mktemp("flyte") / "data"
    ports = dict(zip(("--port", "--http-port", "--s3-port"), map(str, _free_ports(3)), strict=True))
    options = [text for pair in ports.items() for text in pair]
    command = [sys.executable, "-m", "flyte_cli", "up", "--data", str(data), *options]
    with data.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ})
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.rstrip().endswith("ready"):
                yield RunningFlyte(data, data / "config.yaml")
                break
        else:
            pytest.fail(f"flyte up ended before it was ready:\n{said}{data.with_suffix('.log').read_text()}")
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)


@pytest.fixture
def flyte_remote(flyte_up: RunningFlyte) -> Iterator[FlyteRemote]:
    """Give a client of :func:`flyte_up`."""
    client = flyte_up.remote()
    yield client
    client.close()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
