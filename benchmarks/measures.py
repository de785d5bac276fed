"""The measures; each yields figures. Bounds are those of the architecture page, section 6."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from benchmarks import floors
from benchmarks.report import Figure
from benchmarks.sdk import sdk
from benchmarks.server import chain, execution_request, fan, flyte_up, noop_map, register, shell_fan, wait
from benchmarks.submitting import submit, submit_postgresql

IDLE_SECONDS = 10
REAL_CHAIN = Path(__file__).parent / "real_chain.py"


def coldstart(folder: Path) -> Iterator[Figure]:
    """From the command to ready, then idle."""
    spawn = floors.bare_spawn()
    runs = []
    for run in range(3):
        with flyte_up(folder / f"cold{run}") as up:
            runs.append(up.seconds_to_ready * 1000)
            if run == 2:
                time.sleep(3)
                before = up.process.cpu_times()
                time.sleep(IDLE_SECONDS)
                after = up.process.cpu_times()
                idle = (after.user + after.system - before.user - before.system) / IDLE_SECONDS * 100
                memory = up.process.memory_info().rss / 2**20
    ready = floors.median(runs)
    yield Figure("coldstart: command to ready", ready, "ms", spawn, "bare spawn", "≤ 3000 ms", ready <= 3000)
    yield Figure("coldstart: idle CPU", idle, "%", bound="< 1 %", met=idle < 1)
    yield Figure("coldstart: RSS", memory, "MB", bound="< 250 MB", met=memory < 250)


def chain_of_noops(folder: Path) -> Iterator[Figure]:
    """Engine overhead per node of a chain, no task process: lengths 10, 100 and 1000."""
    floor = floors.bare_commit(folder)
    spent: dict[int, float] = {}
    with flyte_up(folder / "chain") as up, grpc.insecure_channel(f"127.0.0.1:{up.port}") as channel:
        stub = AdminServiceStub(channel)
        for length in (10, 100, 1000):
            register(stub, f"bench.chain{length}", chain(length))
            begin = time.perf_counter()
            stub.CreateExecution(execution_request(f"bench.chain{length}", f"chain{length}"))
            assert wait(stub, f"chain{length}") == WorkflowExecution.SUCCEEDED
            spent[length] = (time.perf_counter() - begin) * 1000 / length
    for length, each in spent.items():
        name = f"chain of {length} no-ops: engine per node"
        yield Figure(name, each, "ms", floor, "bare commit", "≤ 10 ms", each <= 10)


def real_chain(folder: Path) -> Iterator[Figure]:
    """A chain of real Python tasks of stock flytekit, processes included."""
    stock = os.environ["FLYTE_STOCK_PYTHON"]
    with flyte_up(folder / "real", "--image", f"*={stock}") as up:
        floor = float(run_stock(stock, "floor", str(up.config)))
        run_stock(stock, "run", str(up.config), "5")  # the first tasks find the warm parent still importing
        each = float(run_stock(stock, "run", str(up.config), "20"))
    name = "chain of 20 real Python tasks: per node"
    yield Figure(name, each, "ms", floor, "fork + read + write", "≤ 2 x", each <= 2 * floor)


def run_stock(stock: str, *arguments: str) -> str:
    """Run real_chain.py in the environment with stock flytekit; return its last line."""
    done = subprocess.run(
        [stock, str(REAL_CHAIN), *arguments],
        cwd=REAL_CHAIN.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return done.stdout.strip().splitlines()[-1]


def fanout(folder: Path) -> Iterator[Figure]:
    """A thousand nodes side by side whose tasks end at once."""
    width = 1000
    floor = floors.bare_fork() * width
    with flyte_up(folder / "fan") as up, grpc.insecure_channel(f"127.0.0.1:{up.port}") as channel:
        stub = AdminServiceStub(channel)
        register(stub, "bench.fan", fan(width))
        begin = time.perf_counter()
        stub.CreateExecution(execution_request("bench.fan", "fan", max_parallelism=100))
        assert wait(stub, "fan") == WorkflowExecution.SUCCEEDED
        spent = (time.perf_counter() - begin) * 1000
    yield Figure("fanout: 1000 no-ops side by side", spent, "ms", floor, "1000 bare forks")


def maps(folder: Path) -> Iterator[Figure]:
    """Maps whose tasks end at once: an element costs the same in a long list as in a short one."""
    with flyte_up(folder / "map") as up, grpc.insecure_channel(f"127.0.0.1:{up.port}") as channel:
        stub = AdminServiceStub(channel)
        noop_map(stub, "bench.map")
        spent = {}
        for size in (100, 1000):
            request = execution_request("bench.map", f"map{size}", x=None)
            for number in range(size):
                request.inputs.literals["x"].collection.literals.add().scalar.primitive.integer = number
            begin = time.perf_counter()
            stub.CreateExecution(request)
            assert wait(stub, f"map{size}") == WorkflowExecution.SUCCEEDED
            spent[size] = (time.perf_counter() - begin) * 1000 / size
    yield Figure("map: an element of 1000 no-ops", spent[1000], "ms", spent[100], "an element of 100")


def fanout_of_processes(folder: Path) -> Iterator[Figure]:
    """A thousand nodes side by side, each a process that ends at once; against a thousand bare forks."""
    width = 1000
    floor = floors.bare_fork() * width
    spawn = floors.timed(lambda: subprocess.run(["true"], check=True), 50) * width
    with flyte_up(folder / "processes") as up, grpc.insecure_channel(f"127.0.0.1:{up.port}") as channel:
        stub = AdminServiceStub(channel)
        shell_fan(stub, "bench.processes", width)
        begin = time.perf_counter()
        stub.CreateExecution(execution_request("bench.processes", "processes", max_parallelism=100, x=None))
        assert wait(stub, "processes") == WorkflowExecution.SUCCEEDED
        spent = (time.perf_counter() - begin) * 1000
    name = "fanout: 1000 processes `true` side by side"
    yield Figure(name, spent, "ms", floor, "1000 bare forks", "≤ 3 x", spent <= 3 * floor)
    yield Figure("  the same", spent, "ms", spawn, "1000 times spawn of `true`")


def memory(folder: Path) -> Iterator[Figure]:
    """Memory of a thousand live workflows of ten nodes whose first task does not end."""
    live = 1000
    with flyte_up(folder / "memory") as up, grpc.insecure_channel(f"127.0.0.1:{up.port}") as channel:
        stub = AdminServiceStub(channel)
        register(stub, "bench.ten", chain(10), task_type="never")
        time.sleep(2)
        before = up.process.memory_info().rss
        for number in range(live):
            stub.CreateExecution(execution_request("bench.ten", f"live{number}"))
        time.sleep(5)
        grown = (up.process.memory_info().rss - before) / 2**20
    yield Figure("memory: 1000 live workflows of 10 nodes", grown, "MB", bound="≤ 50 MB", met=grown <= 50)


MEASURES: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "sdk": sdk,
    "coldstart": coldstart,
    "chain": chain_of_noops,
    "realchain": real_chain,
    "fanout": fanout,
    "maps": maps,
    "processes": fanout_of_processes,
    "submit": submit,
    "postgresql": submit_postgresql,
    "memory": memory,
}


def main(names: list[str]) -> int:
    """Run the measures named, or all; print each figure as it is known."""
    unknown = set(names) - set(MEASURES)
    if unknown:
        print(f"no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    for name in names or MEASURES:
        with tempfile.TemporaryDirectory(prefix="flyte-bench-") as folder:
            for figure in MEASURES[name](Path(folder)):
                print(figure.line(), flush=True)
    return 0
