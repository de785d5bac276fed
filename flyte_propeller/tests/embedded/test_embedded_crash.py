"""kill -9 of the server, and what the next one makes of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from flyte_core.cluster import POD
from flyte_core.testing.fakes import MemoryStore
from flyte_propeller.adapters.embedded import EmbeddedCluster
from flyte_propeller.adapters.embedded.environments import Environment, ImageTable

from .conftest import NAMESPACE, Pods, alive, exit_code

HOST = Path(__file__).with_name("embedded_host.py")


def start_host(folder: Path, python: Path, *pods: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(HOST), str(folder), str(python), *pods]
    host = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    assert host.stdout.readline() == "open\n"
    return host


def kill(host: subprocess.Popen[str]) -> None:
    host.kill()
    host.communicate()


def logged(folder: Path, name: str) -> list[int]:
    path = folder / "logs" / NAMESPACE / name / "main.log"
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline, f"{name} has not started"
        time.sleep(0.01)
    return list(map(int, path.read_text().split()))


@asynccontextmanager
async def reopened(folder: Path, python: Path) -> AsyncIterator[Pods]:
    store = MemoryStore()
    cluster = await EmbeddedCluster.open(folder, store=store, images=ImageTable((), Environment(python)))
    try:
        yield Pods(cluster, store, folder)
    finally:
        await cluster.close()


def parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


async def test_children_live_on_and_the_next_server_learns_how_they_end(tmp_path, python):
    folder = tmp_path / "c"
    pods = ("long=echo $$; sleep 1; exit 5", "over=echo $$; sleep 0.4; exit 6", "well=echo $$; exec sleep 1")
    host = start_host(folder, python, *pods)
    pids = [logged(folder, name)[0] for name in ("long", "over", "well")]
    kill(host)
    assert all(map(alive, pids))
    await asyncio.sleep(0.6)  # one ends while there is no server
    async with reopened(folder, python) as after:
        ended = [await after.ended(name) for name in ("long", "over", "well")]
        assert [exit_code(pod) for pod in ended] == [5, 6, 0]
        assert [len(after.log(name).split()) for name in ("long", "over", "well")] == [1, 1, 1]
        for name in ("long", "over", "well"):
            await after.delete(name)
        await after.no_folder_left()


async def test_an_adopted_process_ends_when_its_pod_is_deleted(tmp_path, python):
    folder = tmp_path / "c"
    host = start_host(folder, python, "p=echo $$; setsid sleep 100 & echo $!; wait")
    while len(logged(folder, "p")) < 2:
        await asyncio.sleep(0.01)
    kill(host)
    async with reopened(folder, python) as after:
        await after.delete("p")
        assert not any(map(alive, logged(folder, "p")))
        await after.no_folder_left()


async def test_an_adopted_process_ends_with_an_orderly_stop(tmp_path, python):
    folder = tmp_path / "c"
    host = start_host(folder, python, "p=echo $$; exec sleep 100")
    pid = logged(folder, "p")[0]
    kill(host)
    async with reopened(folder, python) as after:
        await after.shown("p", lambda pod: (pod.get("status") or {}).get("phase") == "Running")
    assert not alive(pid)
    async with reopened(folder, python) as after:
        assert (await after.ended("p"))["status"]["reason"] == "NodeShutdown"


async def test_a_pod_that_vanished_while_there_was_no_server_takes_its_processes_along(tmp_path, python):
    folder = tmp_path / "c"
    host = start_host(folder, python, "p=echo $$; exec sleep 100")
    pid = logged(folder, "p")[0]
    kill(host)
    for file in folder.glob("cluster.db*"):
        file.unlink()
    async with reopened(folder, python) as after:
        await after.no_folder_left()
        assert not alive(pid)


async def test_when_the_warm_parent_is_gone_too_the_loss_is_told(tmp_path, python):
    folder = tmp_path / "c"
    host = start_host(folder, python, "p=echo $$; sleep 0.3 & wait; sleep 100")
    pid = logged(folder, "p")[0]
    warm = parent_of(pid)
    kill(host)
    os.kill(warm, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    async with reopened(folder, python) as after:
        pod = await after.ended("p")
        terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
        assert (terminated["exitCode"], terminated["reason"]) == (137, "ContainerStatusUnknown")
        await after.delete("p")
        await after.no_folder_left()


async def test_a_foreign_process_of_the_same_number_is_never_touched(tmp_path, python):
    folder = tmp_path / "c"
    host = start_host(folder, python, "p=echo $$; exec sleep 100")
    pid = logged(folder, "p")[0]
    warm = parent_of(pid)
    kill(host)
    os.kill(warm, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    foreign = subprocess.Popen(["sleep", "100"], start_new_session=True)
    claim = next((folder / "attempts").glob("*/main.claim"))
    text = claim.read_text().replace(f'"pid": {pid}', f'"pid": {foreign.pid}')
    assert str(foreign.pid) in text
    claim.write_text(text)
    async with reopened(folder, python) as after:
        await after.ended("p")
        await after.delete("p")
        await after.no_folder_left()
    assert foreign.poll() is None
    foreign.kill()
    foreign.wait()


async def test_a_claim_without_a_process_is_a_loss_and_not_a_hang(tmp_path, python):
    folder = tmp_path / "c"
    host = start_host(folder, python, "p=echo $$; exec sleep 100")
    pid = logged(folder, "p")[0]
    warm = parent_of(pid)
    kill(host)
    os.kill(warm, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    next((folder / "attempts").glob("*/main.claim")).write_text("")  # died between the claim and the fork
    async with reopened(folder, python) as after:
        assert exit_code(await after.ended("p")) == 137


@pytest.mark.parametrize("first", ["old", "new"])
async def test_an_old_warm_parent_that_forks_late_does_not_run_a_pod_twice(tmp_path, python, first):
    folder = tmp_path / "c"
    host = start_host(folder, python, "p=echo $$; exec sleep 1")
    warm = parent_of(logged(folder, "p")[0])
    os.kill(warm, signal.SIGSTOP)
    assert host.stdin is not None
    host.stdin.write("late=echo $$; sleep 0.5; exit 7\n")
    host.stdin.flush()
    while len(list((folder / "attempts").iterdir())) < 2:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # the request is in the socket of the warm parent that does not answer
    kill(host)
    if first == "old":
        os.kill(warm, signal.SIGCONT)
    async with reopened(folder, python) as after:
        if first == "new":
            await after.logged("late")
            os.kill(warm, signal.SIGCONT)
        assert exit_code(await after.ended("late")) == 7
        assert exit_code(await after.ended("p")) == 0
        assert len(after.log("late").split()) == 1


@pytest.mark.parametrize("seed", range(6))
async def test_killed_at_any_moment_nothing_runs_twice_and_nothing_is_left(tmp_path, python, seed):
    chance = random.Random(seed)
    folder = tmp_path / "c"
    names = [f"p{number}" for number in range(12)]
    host = start_host(folder, python, *(f"{name}=echo $$; exec sleep 0.3" for name in names))
    time.sleep(chance.random() * 0.15)
    kill(host)
    for _ in range(2):
        again = start_host(folder, python)
        time.sleep(chance.random() * 0.1)
        kill(again)
    async with reopened(folder, python) as after:
        made = [item["metadata"]["name"] for item in (await after.cluster.list(POD)).items]
        for name in made:
            assert exit_code(await after.ended(name)) == 0
            assert len(after.log(name).split()) == 1, "it ran more than once"
            await after.delete(name)
        await after.no_folder_left()
