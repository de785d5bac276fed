"""`flyte up` is killed at random moments and started again: nothing is lost, doubled or left behind."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import psutil
import pytest

from flyte_up import Server, Stock, free_ports, start_up

pytestmark = pytest.mark.interop
KILLS = 20
EXECUTE = """
    workflow = remote.fetch_workflow(name="twenty.twenty", version="v1")
    result["name"] = remote.execute(workflow, inputs={{"marks": {marks!r}}}).id.name
"""
WAIT = """
    run = remote.fetch_execution(name={name!r})
    done = remote.wait(run, poll_interval=timedelta(seconds=1), timeout=timedelta(minutes=3))
    result["phase"] = done.closure.phase
    result["error"] = done.error.message if done.error else ""
"""


@pytest.mark.timeout(600)
def test_killing_flyte_up_twenty_times_loses_nothing(stock_python: str, tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("KILL_SEED", "1")))
    data, ports = tmp_path / "data", free_ports(3)
    server = start_up(data, ports, stock_python)
    runs: list[tuple[str, Path]] = []
    Stock(stock_python, server).pyflyte(
        "register", "-p", "flytesnacks", "-d", "development", "--version", "v1", "twenty.py"
    )
    for kill in range(KILLS):
        if kill % 5 == 0:
            marks = tmp_path / f"marks{kill}"
            marks.mkdir()
            answer = Stock(stock_python, server).remote(EXECUTE.format(marks=str(marks)))
            runs.append((str(answer["name"]), marks))
        time.sleep(chance.uniform(0.05, 2.5))
        server.kill()
        server = start_up(data, ports, stock_python)
    try:
        for name, marks in runs:
            answer = Stock(stock_python, server).remote(WAIT.format(name=name), seconds=240)
            assert answer == {"phase": 4, "error": ""}, (name, server.log.read_text()[-3000:])
            assert_each_step_ran_at_most_twice(marks)
    finally:
        assert server.stop() == 0
    assert_nothing_is_left(server)


def assert_each_step_ran_at_most_twice(marks: Path) -> None:
    lines = {path.name: len(path.read_text().splitlines()) for path in sorted(marks.iterdir())}
    assert sorted(lines) == [f"{number:02}" for number in range(20)]
    assert max(lines.values()) <= 2, lines


def assert_nothing_is_left(server: Server) -> None:
    inside = str(server.data)
    left = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = " ".join(process.info["cmdline"] or []) + " " + (process.info["cwd"] or "")
        if inside in words:
            left.append(words)
    assert left == []
    attempts = server.data / "cluster" / "attempts"
    assert not attempts.exists() or list(attempts.iterdir()) == []
