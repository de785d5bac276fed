"""The real machine and shell in a world of faults: whatever goes wrong, every execution ends as it must.

``FLYTE_SIM_SEEDS=20000 pytest tests/simulation`` runs more worlds; ``FLYTE_SIM_SEED=17`` runs that one alone and
prints what happened in it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.batch import run_in_parallel, run_seeds
from simulator.mutants import MUTANTS, Mutant, broken
from simulator.world import simulate

SEEDS = int(os.environ.get("FLYTE_SIM_SEEDS", "2000"))
ONE = os.environ.get("FLYTE_SIM_SEED")
BOUNDARIES = {
    (call, when)
    for call in (
        *("get", "replace", "read", "write", "record", "launch", "observe", "delete"),
        *("get_result", "put_result", "reserve", "release", "past"),
        *("create_child", "get_child", "terminate_child", "get_or_create_signal"),
    )
    for when in ("before", "after")
}
SUPPORT = Path(__file__).parents[1] / "support"


@pytest.mark.skipif(ONE is not None, reason="one seed is asked for")
def test_every_world_ends_well_and_every_boundary_is_crossed_by_a_death() -> None:
    report = run_in_parallel(range(SEEDS), min(2, os.cpu_count() or 1))
    assert len(report.traces) == SEEDS
    assert report.violations == {}, f"replay with FLYTE_SIM_SEED={min(report.violations)}"
    assert set(report.boundaries) >= BOUNDARIES


@pytest.mark.skipif(ONE is None, reason="FLYTE_SIM_SEED is not set")
def test_one_world_ends_well() -> None:
    seed = int(ONE or 0)
    world = asyncio.run(simulate(seed))
    print("\n".join(world.log))
    assert run_seeds([seed]).violations == {}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    with broken(mutant):
        report = run_seeds(range(mutant.seeds), mutant.options, until_first=True)
    assert report.violations, f"nobody notices that not: {mutant.rule}"


@pytest.mark.parametrize("options", {m.options: m for m in MUTANTS if m.options.finalizers}, ids=str)
def test_the_worlds_of_the_mutants_are_fair(options) -> None:
    assert run_seeds(range(60), options).violations == {}


def test_a_seed_decides_everything() -> None:
    assert run_seeds(range(40)).traces == run_seeds(range(40)).traces


def test_the_order_of_hashes_decides_nothing() -> None:
    program = "from simulator.batch import run_seeds; print(sorted(run_seeds(range(20)).traces.items()))"
    traces = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={
                **os.environ,
                "PYTHONHASHSEED": hash_seed,
                "PYTHONPATH": os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")]),
            },
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1")
    }
    assert len(traces) == 1
