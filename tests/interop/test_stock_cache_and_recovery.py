"""Stock flytekit's cached tasks and recoveries on `flyte up`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flyte_up import Server, Stock, free_ports, start_up

pytestmark = pytest.mark.interop
WHERE = ("-p", "flytesnacks", "-d", "development")
START = """
    run = remote.execute(remote.fetch_workflow(name="cached.{workflow}", version="v1"), inputs={inputs!r}, {options})
    result["name"] = run.id.name
"""
WAIT = """
    run = remote.wait(
        remote.fetch_execution(name={name!r}), poll_interval=timedelta(seconds=0.5), timeout=timedelta(minutes=2)
    )
    run = remote.sync_execution(run, sync_nodes=True)
    result["phase"] = run.closure.phase
    result["outputs"] = dict(run.outputs.literals) and [run.outputs[key] for key in sorted(run.outputs.literals)] \\
        if run.closure.phase == 4 else []

    def nodes(found):
        for node in found.values():
            about = node.closure.task_node_metadata
            key = about.catalog_key if about else None
            result[node.id.node_id] = [
                node.closure.phase,
                about.cache_status if about else 0,
                key.source_task_execution.node_execution_id.execution_id.name
                if key and key.source_task_execution else "",
                len(node.task_executions or ()),
            ]
            nodes(node.subworkflow_node_executions or {{}})

    nodes(run.node_executions)
"""
SUCCEEDED, FAILED = 4, 6
NODE_SUCCEEDED, NODE_RECOVERED = 3, 10
DISABLED, MISS, HIT, POPULATED = range(4)


class Runs:
    """Starts workflows of ``cached.py`` and waits for them."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock

    def start(self, workflow: str, options: str = "", **inputs: Any) -> str:
        return str(self.stock.remote(START.format(workflow=workflow, inputs=inputs, options=options))["name"])

    def wait(self, name: str) -> Any:
        return self.stock.remote(WAIT.format(name=name))

    def run(self, workflow: str, options: str = "", **inputs: Any) -> Any:
        return self.wait(self.start(workflow, options, **inputs))


def count(marks: Path) -> Counter[str]:
    return Counter(entry.name.split("-")[0] for entry in marks.iterdir())


@pytest.fixture(scope="module")
def up(stock_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_up(tmp_path_factory.mktemp("up") / "data", free_ports(3), stock_python)
    Stock(stock_python, server).pyflyte("register", *WHERE, "--version", "v1", "cached.py")
    yield server
    server.stop()


@pytest.fixture
def runs(stock_python: str, up: Server) -> Runs:
    return Runs(Stock(stock_python, up))


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def test_a_second_run_finds_the_results_and_overwriting_computes_them(runs: Runs, marks: Path) -> None:
    name = runs.start("squares", x=3, marks=str(marks))
    first = runs.wait(name)
    assert (first["phase"], first["outputs"]) == (SUCCEEDED, [9, 81])
    assert (first["n0"][:2], first["n1"][:2]) == ([NODE_SUCCEEDED, POPULATED], [NODE_SUCCEEDED, POPULATED])
    second = runs.run("squares", x=3, marks=str(marks))
    assert second["outputs"] == [9, 81]
    assert second["n0"] == second["n1"] == [NODE_SUCCEEDED, HIT, name, 0]
    assert count(marks) == {"square": 2}
    third = runs.run("squares", "overwrite_cache=True", x=3, marks=str(marks))
    assert third["n0"][:2] == [NODE_SUCCEEDED, POPULATED]
    assert count(marks) == {"square": 4}


def test_of_two_runs_at_once_one_computes_a_serialized_result(runs: Runs, marks: Path) -> None:
    names = [runs.start("slowly", x=1, marks=str(marks), seconds=seconds) for seconds in (12.0, 0.0)]
    done = [runs.wait(name) for name in names]
    assert [answer["outputs"] for answer in done] == [[2], [2]]
    assert sorted(answer["n0"][1] for answer in done) == [HIT, POPULATED]
    assert count(marks) == {"slow": 1}


def test_values_that_bring_their_hash_are_equal_by_it(runs: Runs, marks: Path) -> None:
    assert runs.run("hashed", rows=3, value=1, marks=str(marks))["outputs"] == [3]
    assert runs.run("hashed", rows=3, value=5, marks=str(marks))["outputs"] == [3]
    assert runs.run("hashed", rows=4, value=5, marks=str(marks))["outputs"] == [20]
    assert count(marks) == {"total": 2}


def test_a_call_is_cached_whose_task_is_not(runs: Runs, marks: Path) -> None:
    for _ in range(2):
        assert runs.run("overridden", x=1, marks=str(marks))["outputs"] == [2]
    assert count(marks) == {"first": 1}


def test_pyflyte_recovers_what_has_failed_and_computes_nothing_twice(runs: Runs, marks: Path) -> None:
    name = runs.start("breaking", x=1, marks=str(marks))
    assert runs.wait(name)["phase"] == FAILED
    assert count(marks) == {"first": 2, "breaks": 1}
    (marks / "repaired").touch()
    runs.stock.pyflyte("execution", *WHERE, "--execution-id", name, "recover")
    found = runs.stock.remote("""
        recent = remote.recent_executions(limit=5)
        result["name"] = [run.id.name for run in recent if run.spec.metadata.mode == 5][0]
    """)
    done = runs.wait(str(found["name"]))
    assert (done["phase"], done["outputs"]) == (SUCCEEDED, [31])
    assert done["n0"][0] == done["n1-0-n0"][0] == NODE_RECOVERED
    assert done["n1"][0] == done["n1-0-n1"][0] == NODE_SUCCEEDED
    assert count(marks) - Counter("repaired") == {"first": 3, "breaks": 2, "repaired": 1}


@pytest.mark.timeout(300)
def test_killing_the_server_while_one_waits_for_another_computes_once(
    stock_python: str, tmp_path: Path, marks: Path
) -> None:
    data, ports = tmp_path / "data", free_ports(3)
    server = start_up(data, ports, stock_python)
    runs = Runs(Stock(stock_python, server))
    runs.stock.pyflyte("register", *WHERE, "--version", "v1", "cached.py")
    names = [runs.start("slowly", x=1, marks=str(marks), seconds=20.0) for _ in range(2)]
    for pause in (1.0, 3.0):
        time.sleep(pause)
        server.kill()
        server = start_up(data, ports, stock_python)
    try:
        done = [Runs(Stock(stock_python, server)).wait(name) for name in names]
    finally:
        server.stop()
    assert [answer["outputs"] for answer in done] == [[2], [2]]
    assert sorted(answer["n0"][1] for answer in done) == [HIT, POPULATED]
    assert count(marks) == {"slow": 1}
