"""Runs many seeds, in several processes."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from simulator.checks import violations
from simulator.world import FAIR, Options, simulate

CHUNK = 100
LOG = logging.getLogger("flyte_propeller")


@dataclass
class Report:
    """What a number of seeds has shown.

    :ivar violations: by seed
    :ivar boundaries: how often a process died before or after which call of a port
    :ivar traces: hash of everything that happened, by seed
    """

    violations: dict[int, list[str]] = field(default_factory=dict)
    boundaries: Counter[tuple[str, str]] = field(default_factory=Counter)
    traces: dict[int, str] = field(default_factory=dict)

    def add(self, other: Report) -> None:
        """Take over what the other one has seen."""
        self.violations.update(other.violations)
        self.boundaries.update(other.boundaries)
        self.traces.update(other.traces)


def run_seeds(seeds: Iterable[int], options: Options = FAIR, *, until_first: bool = False) -> Report:
    """Run the seeds in this process.

    :param until_first: stop at the first violation
    """
    return asyncio.run(_run_seeds(seeds, options, until_first=until_first))


class _Faults(logging.Handler):
    """Hears of faults of the program itself, which no outage explains."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the fault was."""
        self.texts.append(f"fault: {record.exc_info[1]!r}" if record.exc_info else record.getMessage())


async def _run_seeds(seeds: Iterable[int], options: Options, *, until_first: bool) -> Report:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # of tasks of dead processes
    report, faults = Report(), _Faults()
    LOG.addHandler(faults)
    LOG.propagate = False
    try:
        for seed in seeds:
            faults.texts.clear()
            world = await simulate(seed, options)
            found = [*await violations(world), *faults.texts]
            report.traces[seed] = world.trace()
            report.boundaries.update(world.boundaries)
            if found:
                report.violations[seed] = found
                if until_first:
                    break
    finally:
        LOG.removeHandler(faults)
        LOG.propagate = True
    return report


def run_in_parallel(seeds: range, processes: int) -> Report:
    """Run the seeds in so many processes."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    report = Report()
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(run_seeds, chunks):
            report.add(part)
    return report
