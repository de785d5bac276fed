"""The SDK and the command against stock flytekit: CPU of processes, both sides taking turns in the same run."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.floors import median
from benchmarks.report import Figure

ROUNDS = 7
THOUSAND = str(Path(__file__).parent / "thousand_nodes.py")
HELLO = """
from {sdk} import task, workflow


@task
def greet(name: str) -> str:
    return f"hello {{name}}"


@task
def shout(text: str) -> str:
    return text.upper()


@workflow
def wf(name: str = "flyte") -> str:
    return shout(text=greet(name=name))
"""


def cpu(command: Sequence[str], folder: Path) -> float:
    """Milliseconds of CPU, user and system, of a command and what it starts.

    :raises RuntimeError: if it fails
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-3000:]}")
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def printed(command: Sequence[str], folder: Path) -> float:
    """Return the number that a command prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return float(done.stdout.strip().splitlines()[-1])


def compared(name: str, ours: list[float], stock: list[float], theirs: str, part: int) -> Figure:
    """Return a figure: the median of ours, against the same of stock's; it may be one of so many parts of it."""
    value, floor = median(ours), median(stock)
    return Figure(name, value, "ms", floor, theirs, f"≤ 1/{part}", value * part <= floor)


def sdk(folder: Path) -> Iterator[Figure]:
    """Importing, a local run, a big workflow, and the start of the command."""
    stock = os.environ["FLYTE_STOCK_PYTHON"]
    pyflyte, flyte = str(Path(stock).parent / "pyflyte"), str(Path(sys.executable).parent / "flyte")
    for kit in ("flytekit", "flyte_kit"):
        (folder / f"hello_{kit}.py").write_text(HELLO.format(sdk=kit))
    import_ours, import_stock = [], []
    run_ours, run_stock = [], []
    many_ours, many_stock = [], []
    help_ours = []
    for turn in range(ROUNDS + 1):
        bare_ours = cpu([sys.executable, "-c", "pass"], folder)
        bare_stock = cpu([stock, "-c", "pass"], folder)
        first = cpu([sys.executable, "-c", "from flyte_kit import task, workflow"], folder) - bare_ours
        second = cpu([stock, "-c", "from flytekit import task, workflow"], folder) - bare_stock
        if turn == 0:  # compiles what is not compiled yet
            cpu([flyte, "run", "hello_flyte_kit.py", "wf"], folder)
            cpu([pyflyte, "run", "hello_flytekit.py", "wf"], folder)
            continue
        import_ours.append(first)
        import_stock.append(second)
        run_ours.append(cpu([flyte, "run", "hello_flyte_kit.py", "wf"], folder))
        run_stock.append(cpu([pyflyte, "run", "hello_flytekit.py", "wf"], folder))
        many_ours.append(printed([sys.executable, THOUSAND, "flyte_kit"], folder))
        many_stock.append(printed([stock, THOUSAND, "flytekit"], folder))
        help_ours.append(cpu([flyte, "--help"], folder))
    yield compared("sdk: import task and workflow", import_ours, import_stock, "flytekit", 6)
    yield compared("sdk: `flyte run` hello, here", run_ours, run_stock, "pyflyte run", 4)
    yield compared("sdk: define and serialize 1000 nodes", many_ours, many_stock, "flytekit", 4)
    spent = median(help_ours)
    yield Figure("sdk: CPU of `flyte --help`", spent, "ms", bound="≤ 150 ms", met=spent <= 150)
