"""What the bare things cost here and now: the floors that figures are set against."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def median(values: list[float]) -> float:
    """Return the middle value."""
    return sorted(values)[len(values) // 2]


def timed(work: Callable[[], object], rounds: int) -> float:
    """Return the median milliseconds of one call."""
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begin) * 1000)
    return median(spent)


FORKS = """
import os, time
spent = []
for _ in range({rounds}):
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    spent.append((time.perf_counter() - begin) * 1000)
print(sorted(spent)[{rounds} // 2])
"""


def bare_fork(rounds: int = 100) -> float:
    """Milliseconds of a fork whose child ends at once, until it is reaped; in a process without gRPC, which would
    do some milliseconds of its own around each fork.
    """
    script = FORKS.format(rounds=rounds)
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return float(done.stdout)


def bare_spawn(rounds: int = 15) -> float:
    """Milliseconds of starting a Python interpreter that does nothing."""
    return timed(lambda: subprocess.run([sys.executable, "-I", "-c", "pass"], check=True), rounds)


def bare_commit(folder: Path, rounds: int = 200) -> float:
    """Milliseconds of one durable SQLite transaction with one small row (WAL, synchronous=FULL)."""
    base = sqlite3.connect(folder / "floor.db", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body BLOB)")

    def work() -> None:
        base.execute("BEGIN IMMEDIATE")
        base.execute("INSERT INTO rows (body) VALUES (?)", (b"x" * 500,))
        base.execute("COMMIT")

    spent = timed(work, rounds)
    base.close()
    return spent


async def _grpc_call(rounds: int) -> float:
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    spent = []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for _ in range(rounds):
            begin = time.perf_counter()
            await stub.Check(health_pb2.HealthCheckRequest())
            spent.append((time.perf_counter() - begin) * 1000)
    await server.stop(None)
    return median(spent)


def bare_grpc_call(rounds: int = 300) -> float:
    """Milliseconds of one grpc.aio call that does nothing, client and server in one process."""
    return asyncio.run(_grpc_call(rounds))
