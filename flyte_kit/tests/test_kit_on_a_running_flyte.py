"""A user's program from registration to results, on `flyte up`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flyte_up
from flyte_kit.configuration import Config
from flyte_kit.remote import FlyteRemote

PROGRAM = """
from dataclasses import dataclass

from flyte_kit import FlyteFile, conditional, current_context, dynamic, task, workflow


@dataclass
class Size:
    width: int
    height: float = 1.5


@task
def make(n: int) -> Size:
    return Size(width=n)


@task
def area(size: Size) -> float:
    return size.width * size.height


@task
def spread(n: int) -> list[int]:
    return list(range(n))


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def write(text: str) -> FlyteFile:
    path = current_context().working_directory + "/text.txt"
    with open(path, "w") as file:
        file.write(text)
    return FlyteFile(path)


@task
def length(file: FlyteFile) -> int:
    with open(file) as opened:
        return len(opened.read())


@task
def fail(x: int) -> int:
    raise ValueError(f"no {x}")


@workflow
def wf(n: int = 3, text: str = "hello") -> tuple[float, int, int, int]:
    summed, file = total(xs=spread(n=n)), write(text=text)
    chosen = conditional("big").if_(n > 2).then(total(xs=[summed, 1])).else_().then(length(file=file))
    return area(size=make(n=n)), summed, length(file=file), chosen


@workflow
def bad(x: int) -> int:
    return fail(x=x)


@task
def times(a: int, b: int) -> int:
    return a * b


@dynamic
def power(base: int, exponent: int) -> int:
    if exponent == 0:
        return 1
    return times(a=base, b=power(base=base, exponent=exponent - 1))


@dynamic(retries=2)
def tried(x: int) -> int:
    return times(a=fail(x=x), b=2)


@workflow
def grown(base: int, exponent: int) -> int:
    return power(base=base, exponent=exponent)


@workflow
def grown_badly(x: int) -> int:
    return tried(x=x)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("program")
    (folder / "program_on_flyte.py").write_text(PROGRAM)
    sys.path.insert(0, str(folder))
    yield __import__("program_on_flyte")
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlyteRemote]:
    data = tmp_path_factory.mktemp("flyte") / "data"
    server = flyte_up.start_up(data, flyte_up.free_ports(3), sys.executable)
    client = FlyteRemote(Config.auto(str(data / "config.yaml")), "flytesnacks", "development")
    yield client
    client.close()
    server.stop()


def test_a_workflow_is_registered_with_its_code_run_and_read_back(program: Any, remote: FlyteRemote) -> None:
    execution = remote.execute(program.wf, inputs={"n": 4, "text": "hey"}, wait=True)
    assert execution.is_successful, execution.error
    assert [execution.outputs.get(f"o{index}") for index in range(4)] == [6.0, 6, 3, 7]
    assert {"n0", "n1"} <= execution.node_executions.keys()


def test_the_same_code_is_not_registered_twice(program: Any, remote: FlyteRemote) -> None:
    first = remote.register_script(program.wf)
    second = remote.register_script(program.wf)
    assert first.id == second.id
    fetched = remote.fetch_workflow(name=program.wf.name, version=first.id.version)
    assert sorted(fetched.python_interface.inputs) == ["n", "text"]  # a protobuf map has no order


def test_a_single_task_is_run_and_its_structure_read_into_its_class(program: Any, remote: FlyteRemote) -> None:
    execution = remote.execute(program.make, inputs={"n": 2}, wait=True)
    assert execution.outputs.get("o0", as_type=program.Size) == program.Size(2)


def test_an_error_of_a_task_reaches_the_one_who_waits(program: Any, remote: FlyteRemote) -> None:
    execution = remote.execute(program.bad, inputs={"x": 7}, wait=True)
    assert not execution.is_successful
    assert execution.error is not None
    assert "ValueError: no 7" in execution.error.message


def test_a_dynamic_task_that_calls_itself_runs_and_its_nodes_are_read_back(program: Any, remote: FlyteRemote) -> None:
    execution = remote.execute(program.grown, inputs={"base": 3, "exponent": 3}, wait=True)
    assert execution.is_successful, execution.error
    assert execution.outputs.get("o0") == 27
    outer = execution.node_executions["n0"].node_executions
    assert {"n0-0-dn0", "n0-0-dn1"} <= outer.keys()
    assert {"n0-0-dn0-0-dn0", "n0-0-dn0-0-dn1"} <= outer["n0-0-dn0"].node_executions.keys()


def test_an_error_in_the_graph_of_a_dynamic_task_is_that_of_the_execution(program: Any, remote: FlyteRemote) -> None:
    execution = remote.execute(program.grown_badly, inputs={"x": 5}, wait=True)
    assert execution.error is not None
    assert "ValueError: no 5" in execution.error.message
    assert execution.node_executions["n0"].node_executions.keys() >= {"n0-0-dn0"}


def test_an_execution_of_a_name_that_is_there_is_taken_up(program: Any, remote: FlyteRemote) -> None:
    first = remote.execute(program.make, inputs={"n": 2}, execution_name="only-one", wait=True)
    second = remote.execute(program.make, inputs={"n": 2}, execution_name="only-one", wait=True)
    assert first.id == second.id
    assert second.closure.started_at == first.closure.started_at


def test_a_running_execution_can_be_ended_and_tells_why(program: Any, remote: FlyteRemote, tmp_path: Path) -> None:
    execution = remote.execute(program.wf, inputs={"n": 3})
    remote.terminate(execution, "not needed")
    ended = remote.wait(execution, timeout=30, sync_nodes=False)
    assert ended.is_done
