"""Clients of CreateExecution in a process of their own, so that they take nothing from the server but its answers."""

from __future__ import annotations

import multiprocessing
import threading
import time
from dataclasses import dataclass

import grpc
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from benchmarks.server import execution_request

CLIENTS = 8
WARM_UP = 0.5
"""Seconds whose calls do not count."""


@dataclass(frozen=True)
class Load:
    """What the clients do.

    :ivar rate: calls per second of all clients together, each sent when it is due whatever became of the one before;
        0: each client calls again as soon as it was answered
    """

    port: int
    plan: str
    prefix: str
    seconds: float
    rate: float = 0.0


@dataclass(frozen=True)
class Answers:
    """What came of it: the milliseconds of each call, from when it was due; all names; calls answered per second."""

    spent: list[float]
    names: list[str]
    per_second: float

    def percentile(self, share: float) -> float:
        """Return the milliseconds that so many of the calls stayed below."""
        return sorted(self.spent)[min(int(len(self.spent) * share), len(self.spent) - 1)]


def run(load: Load) -> Answers:
    """Run the clients; return what came of it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(submit, (load,))


def submit(load: Load) -> Answers:
    """Be the clients' process."""
    spent: list[float] = []
    names: list[str] = []
    begin = time.perf_counter()
    threads = [threading.Thread(target=_client, args=(load, each, begin, spent, names)) for each in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Answers(spent, names, len(spent) / (time.perf_counter() - begin - WARM_UP))


def _client(load: Load, number: int, begin: float, spent: list[float], names: list[str]) -> None:
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{load.port}", options=options) as channel:
        stub = AdminServiceStub(channel)
        done = 0
        while True:
            due = begin + (done + number / CLIENTS) * CLIENTS / load.rate if load.rate else time.perf_counter()
            if due > begin + WARM_UP + load.seconds:
                return
            time.sleep(max(due - time.perf_counter(), 0))
            name = f"{load.prefix}c{number}n{done}"
            stub.CreateExecution(execution_request(load.plan, name))
            names.append(name)
            if due >= begin + WARM_UP:
                spent.append((time.perf_counter() - due) * 1000)
            done += 1
