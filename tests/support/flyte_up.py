"""`flyte up` as a user starts it, and stock flytekit in an environment of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent.parent / "interop" / "programs"


@dataclass
class Server:
    """A running `flyte up`."""

    process: subprocess.Popen[str]
    data: Path
    ports: tuple[int, int, int]
    log: Path

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.ports[1]}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def free_ports(count: int) -> tuple[int, ...]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = tuple(probe.getsockname()[1] for probe in probes)
    for probe in probes:
        probe.close()
    return ports


def start_up(data: Path, ports: tuple[int, ...], stock: str, *options: str) -> Server:
    """Start `flyte up` and return once it says that it is ready; images that options name go before the stock one."""
    log = data.with_suffix(".log")
    grpc, http, s3 = ports
    command = [sys.executable, "-m", "flyte_cli", "up", "--data", str(data), "--port", str(grpc)]
    command += ["--http-port", str(http), "--s3-port", str(s3), *options, "--image", f"*={stock}"]
    with log.open("a") as out:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=out, text=True)
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if "ready" in line:
            return Server(process, data, (grpc, http, s3), log)
    process.wait()
    raise AssertionError(f"flyte up ended before it was ready: {seen}\n{log.read_text()[-3000:]}")


@dataclass
class Stock:
    """Stock flytekit as a user runs it."""

    python: str
    server: Server

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(self.python).parent}:/usr/bin:/bin",
            "HOME": str(self.server.data.parent),
            "FLYTECTL_CONFIG": str(self.server.data / "config.yaml"),
            "PYTHONPATH": str(PROGRAMS),
            "FLYTE_SDK_LOGGING_LEVEL": "40",
        }

    def pyflyte(self, *arguments: str, code: int = 0, cwd: Path = PROGRAMS, seconds: float = 120) -> str:
        """Run pyflyte and return what it printed; a hang or another exit code fails the test."""
        command = [str(Path(self.python).parent / "pyflyte"), *arguments]
        done = subprocess.run(
            command, cwd=cwd, env=self.environment(), capture_output=True, text=True, timeout=seconds, check=False
        )
        printed = done.stdout + done.stderr
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{printed[-4000:]}"
        return printed

    def remote(self, body: str, seconds: float = 120) -> dict[str, object]:
        """Run code with a FlyteRemote named `remote`; return the dict that it leaves in `result`."""
        script = (
            "import json\nfrom flytekit.configuration import Config\nfrom flytekit.remote import FlyteRemote\n"
            "from datetime import timedelta\n"
            'remote = FlyteRemote(Config.auto(), default_project="flytesnacks", default_domain="development")\n'
            "result = {}\n" + textwrap.dedent(body) + '\nprint("\\nRESULT " + json.dumps(result, default=str))\n'
        )
        done = subprocess.run(
            [self.python, "-c", script],
            cwd=PROGRAMS,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        answer: dict[str, object] = json.loads(done.stdout.rsplit("RESULT ", 1)[1])
        return answer


@contextmanager
def own_server(data: Path, stock_python: str, *options: str) -> Iterator[Server]:
    up = start_up(data, free_ports(3), stock_python, *options)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.stop()
