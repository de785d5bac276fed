"""How `flyte up` starts, refuses to start, and stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from flyte_up import Server, free_ports, start_up


def launch(data: Path, *options: str) -> subprocess.Popen[str]:
    grpc, http, s3 = free_ports(3)
    ports = ["--port", str(grpc), "--http-port", str(http), "--s3-port", str(s3)]
    command = [sys.executable, "-m", "flyte_cli", "up", "--data", str(data), *ports, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def refusal(process: subprocess.Popen[str]) -> str:
    """Return the one line on stderr with which `flyte up` ends."""
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1, err
    [line] = err.splitlines()
    assert line.startswith("flyte: ")
    return line


def seconds_to_stop(server: Server, number: signal.Signals) -> float:
    started = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(timeout=20) == 0
    return time.monotonic() - started


def processes_below(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = " ".join(process.info["cmdline"] or []) + " " + (process.info["cwd"] or "")
        if str(folder) in words:
            found.append(words)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_it_stops_with_its_tasks_and_the_next_start_goes_on(tmp_path, installed, eventually, number) -> None:
    data, ports, marks = tmp_path / "data", free_ports(3), tmp_path / "marks"
    marks.mkdir()
    server = start_up(data, ports, sys.executable)
    user = installed(server)
    deaf = f"trap '' TERM; touch {marks}/deaf; while ! test -e {marks}/go; do sleep 0.1; done"
    user.register("goes-on", f"touch {marks}/first", f"touch {marks}/polite; test -e {marks}/go || sleep 100", deaf)
    user.register("deaf", deaf)
    user.launch("goes-on", "polite1")
    user.launch("deaf", "deaf1")
    eventually(lambda: (marks / "polite").exists() and (marks / "deaf").exists())
    following = user.start("logs", "-f", "polite1")
    try:
        assert seconds_to_stop(server, number) < 5
        assert processes_below(data) == []
    finally:
        following.kill()
        following.communicate()
    (marks / "go").touch()
    (marks / "first").unlink()
    server = start_up(data, ports, sys.executable)
    user = installed(server)
    try:
        assert [user.wait(name, 40) for name in ("polite1", "deaf1")] == ["SUCCEEDED", "SUCCEEDED"]
        assert not (marks / "first").exists(), "a node that had succeeded ran again"
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_the_second_signal_stops_it_at_once(tmp_path, installed, eventually) -> None:
    server = start_up(tmp_path / "data", free_ports(3), sys.executable)
    user = installed(server)
    user.register("deaf", f"trap '' TERM; touch {tmp_path}/deaf; while true; do sleep 0.1; done")
    user.launch("deaf", "deaf1")
    eventually((tmp_path / "deaf").exists)
    server.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    started = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=20) == 130
    assert time.monotonic() - started < 0.5
    again = start_up(tmp_path / "data", free_ports(3), sys.executable)
    assert seconds_to_stop(again, signal.SIGTERM) < 5
    assert processes_below(tmp_path / "data") == []


SLOW = {
    "reading the settings": """
import time, flyte_cli.up.config_file as module
module.effective = lambda *_: time.sleep(60)
""",
    "starting the control plane": """
import asyncio, flyte_admin.app as module
real = module.migrate
async def slow(database):
    await asyncio.sleep(3)
    await real(database)
module.migrate = slow
""",
}
"""Step of the start → what makes it slow."""


def slow_start(data: Path, step: str) -> tuple[subprocess.Popen[str], str]:
    """Start `flyte up` with a slow step; return it with the first line that it prints."""
    grpc, http, s3 = map(str, free_ports(3))
    program = f"{SLOW[step]}\nfrom flyte_cli.main import main\nmain()"
    command = [sys.executable, "-c", program, "up", "--data", str(data), "--port", grpc]
    command += ["--http-port", http, "--s3-port", s3]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("step", SLOW)
def test_a_slow_start_says_what_it_is_at_and_is_stopped_in_time(tmp_path, step, number) -> None:
    process, line = slow_start(tmp_path / "data", step)
    assert line.startswith(f"flyte: {step}")
    started = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "")
    assert "ready" not in out
    assert time.monotonic() - started < 2
    assert processes_below(tmp_path / "data") == []


def test_a_slow_start_gets_ready_all_the_same(tmp_path) -> None:
    process, _ = slow_start(tmp_path / "data", "starting the control plane")
    assert process.stdout is not None
    assert any("ready" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_taken_port_is_named_with_its_option(tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refusal(launch(tmp_path / "data", "--http-port", str(port)))
    assert f"--http-port {port}: Address already in use" in line
    assert not (tmp_path / "data").exists()


def test_a_data_folder_in_use_is_refused(up, tmp_path) -> None:
    line = refusal(launch(up.server.data))
    assert f"in use by process {up.server.process.pid}" in line
    assert up.flyte("get", "projects")


@pytest.mark.parametrize("name", ["admin.db", "cluster/cluster.db", "credentials.json"])
def test_a_damaged_file_is_named(tmp_path, name) -> None:
    damaged = tmp_path / "data" / name
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"this is no database" * 1000)
    assert damaged.name in refusal(launch(tmp_path / "data"))


@pytest.mark.parametrize("what", ["", "cluster", "objects"])
def test_a_data_folder_that_is_a_file_is_refused(tmp_path, what) -> None:
    path = tmp_path / "data" / what if what else tmp_path / "data"
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert str(path) in refusal(launch(tmp_path / "data"))


def test_an_environment_that_is_not_there_is_named(tmp_path) -> None:
    line = refusal(launch(tmp_path / "data", "--image", "*=/nonexistent"))
    assert "/nonexistent does not exist" in line
    (tmp_path / "empty").mkdir()
    line = refusal(launch(tmp_path / "data", "--image", f"*={tmp_path}/empty"))
    assert f"{tmp_path}/empty/bin/python does not exist" in line
    assert "PATTERN=PYTHON" in refusal(launch(tmp_path / "data", "--image", os.devnull))
