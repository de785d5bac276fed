"""Tasks and workflows that are called as functions on this machine."""

from __future__ import annotations

import asyncio
import datetime
import functools
import io
import sys
import typing
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from flyte_kit import (
    Cache,
    ContainerTask,
    Deck,
    FlyteContextManager,
    ImperativeWorkflow,
    LaunchPlan,
    Resources,
    conditional,
    current_context,
    dynamic,
    eager,
    kwtypes,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from flyte_kit.core.node_creation import create_node
from flyte_kit.exceptions.user import FlyteValidationException
from flyte_kit.testing import patch, task_mock

calls: list[Any] = []


class Result(NamedTuple):
    a: int
    b: str


@dataclass
class Part:
    n: int


@dataclass
class Whole:
    parts: dict[str, list[Part]]


@task
def square(x: int) -> int:
    return x * x


@task
def add(a: int, b: int = 10) -> int:
    return a + b


@task
def fail(x: int) -> int:
    raise ValueError(f"no {x}")


@task
def note(x: int, error: str | None = None) -> None:
    calls.append((x, error))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_LOCAL_CACHE_DIR", str(tmp_path / "cache"))
    calls.clear()


def test_a_workflow_gives_values_not_promises() -> None:
    @workflow
    def wf(x: int = 3) -> int:
        return add(a=square(x=x))

    assert wf() == 19
    assert wf(x=1) == 11
    assert wf(2) == 14


def test_outputs_have_the_names_of_a_named_tuple() -> None:
    @task
    def both() -> Result:
        return Result(1, "x")

    @workflow
    def wf() -> Result:
        made = both()
        return Result(made.a, made.b)

    assert wf() == (1, "x")


def test_attributes_and_elements_of_promises_are_followed() -> None:
    @task
    def make() -> Whole:
        return Whole({"a": [Part(4), Part(5)]})

    @task
    def names() -> list[dict[str, str]]:
        return [{"k": "v"}]

    @workflow
    def wf() -> tuple[int, str]:
        whole = make()
        return square(x=whole.parts["a"][1].n), names()[0]["k"]

    assert wf() == (25, "v")


def test_the_error_of_a_task_keeps_its_type_and_says_which_task() -> None:
    @workflow
    def wf(x: int) -> int:
        return fail(x=x)

    with pytest.raises(ValueError, match=r"Error encountered while executing .*fail.*:\n  no 3"):
        wf(x=3)


def test_a_wrong_input_type_is_refused_before_the_task_runs() -> None:
    with pytest.raises(TypeError, match="Failed to convert inputs of task"):
        square(x="three")


def test_a_missing_and_an_unknown_argument_are_named() -> None:
    with pytest.raises(AssertionError, match="unexpected keyword argument 'y'"):
        square(y=3)
    with pytest.raises(TypeError, match="x"):
        square()


@pytest.mark.parametrize(("x", "expected"), [(1, 1), (5, 15), (50, 52)])
def test_a_condition_runs_the_branch_that_holds(x: int, expected: int) -> None:
    @workflow
    def wf(x: int) -> int:
        return (
            conditional("size")
            .if_(x < 2)
            .then(square(x=x))
            .elif_((x >= 2) & (x < 10))
            .then(add(a=x))
            .else_()
            .then(add(a=x, b=2))
        )

    assert wf(x=x) == expected


def test_a_condition_can_end_in_failure() -> None:
    @workflow
    def wf(x: int) -> int:
        return conditional("size").if_(x < 2).then(square(x=x)).else_().fail("too large")

    assert wf(x=1) == 1
    with pytest.raises(ValueError, match="too large"):
        wf(x=2)


def test_a_branch_that_does_not_hold_is_not_run() -> None:
    @workflow
    def wf(x: int) -> int:
        return conditional("size").if_(x < 2).then(square(x=x)).else_().then(fail(x=x))

    assert wf(x=1) == 1


def test_a_branch_that_would_lose_a_call_is_refused_with_its_name() -> None:
    @workflow
    def wf(x: int) -> int:
        return conditional("size").if_(x < 2).then(square(x=add(a=x))).else_().then(add(a=x))

    with pytest.raises(FlyteValidationException, match=r"add.* as well as .*square"):
        wf(x=1)


def test_a_conditional_may_stand_in_a_branch_of_another() -> None:
    @workflow
    def wf(x: int) -> int:
        return (
            conditional("outer")
            .if_(x > 10)
            .then(add(a=x))
            .else_()
            .then(conditional("inner").if_(x > 5).then(square(x=x)).else_().then(add(a=x, b=1)))
        )

    assert [wf(x=11), wf(x=6), wf(x=1)] == [21, 36, 2]


def test_a_mapped_task_runs_for_every_element_with_tied_inputs() -> None:
    @workflow
    def wf(xs: list[int]) -> list[int]:
        return map_task(functools.partial(add, b=1))(a=xs)

    assert wf(xs=[1, 2, 3]) == [2, 3, 4]


def test_a_mapped_task_may_miss_elements_when_told_so() -> None:
    @task
    def some(x: int) -> int:
        if x == 2:
            raise ValueError("two")
        return x

    @workflow
    def wf(xs: list[int]) -> list[typing.Optional[int]]:  # noqa: UP045 - as users write it
        return map_task(some, min_success_ratio=0.5)(x=xs)

    assert wf(xs=[1, 2, 3]) == [1, None, 3]


def test_a_dynamic_task_calls_tasks_in_loops() -> None:
    @dynamic
    def fan(n: int) -> list[int]:
        return [square(x=i) for i in range(n)]

    @workflow
    def wf(n: int) -> list[int]:
        return fan(n=n)

    assert wf(n=4) == [0, 1, 4, 9]


def test_the_failure_handler_runs_with_the_inputs_and_the_error_goes_on() -> None:
    @workflow(on_failure=note)
    def wf(x: int) -> int:
        return fail(x=x)

    with pytest.raises(ValueError, match="no 3"):
        wf(x=3)
    assert calls[0][0] == 3


def test_a_cached_task_runs_once_for_equal_inputs() -> None:
    @task(cache=Cache(version="1", ignored_inputs=("label",)))
    def costly(x: int, label: str) -> int:
        calls.append(x)
        return x

    assert [costly(x=1, label="a"), costly(x=1, label="b"), costly(x=2, label="a")] == [1, 1, 2]
    assert calls == [1, 2]


def test_caching_needs_a_version() -> None:
    with pytest.raises(ValueError, match="version"):

        @task(cache=True)
        def wrong() -> int:
            return 1


def test_an_imperative_workflow_runs_as_the_decorated_one() -> None:
    wb = ImperativeWorkflow(name="made.by.hand")
    wb.add_workflow_input("x", int)
    first = wb.add_entity(square, x=wb.inputs["x"])
    second = wb.add_entity(add, a=first.outputs["o0"], b=1)
    wb.add_workflow_output("result", second.outputs["o0"], python_type=int)
    assert wb(x=3) == 10


def test_nodes_made_by_hand_can_be_put_in_order() -> None:
    @workflow
    def wf(x: int) -> int:
        first = create_node(note, x=x)
        second = create_node(square, x=x)
        first >> second
        return second.o0

    assert wf(x=3) == 9
    assert calls == [(3, None)]


def test_a_launch_plan_runs_with_its_fixed_and_default_inputs() -> None:
    @workflow
    def wf(a: int, b: int) -> int:
        return add(a=a, b=b)

    plan = LaunchPlan.create("plan_with_inputs", wf, default_inputs={"a": 1}, fixed_inputs={"b": 2})
    assert plan(a=5) == 7


def test_a_gate_asks_on_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("7\n"))

    @workflow
    def wf() -> int:
        given = wait_for_input("number", timeout=datetime.timedelta(hours=1), expected_type=int)
        pause = sleep(datetime.timedelta(seconds=0))
        pause >> given
        return square(x=given)

    assert wf() == 49


def test_decks_are_made_when_asked_for_and_the_context_tells_of_the_run() -> None:
    @task(enable_deck=True)
    def show(x: int) -> int:
        Deck("mine", "<b>page</b>")
        assert current_context().working_directory
        assert current_context().execution_id.name
        return x

    assert show(x=1) == 1


def test_a_node_override_is_checked_and_does_not_change_the_task() -> None:
    @workflow
    def wf(x: int) -> int:
        return square(x=x).with_overrides(retries=3, requests=Resources(cpu="1"), node_name="sq")

    assert wf(x=2) == 4
    node = wf.nodes[0]
    assert (node.id, node.metadata.retries.retries) == ("sq", 3)


def test_a_task_can_be_replaced_in_a_test() -> None:
    @workflow
    def wf(x: int) -> int:
        return square(x=x)

    with task_mock(square) as mock:
        mock.return_value = 100
        assert wf(x=2) == 100
    assert wf(x=2) == 4

    @patch(square)
    def within(mock: Any) -> None:
        mock.side_effect = lambda x: x + 1
        assert wf(x=2) == 3

    within()


def test_a_container_task_cannot_be_mocked_away_into_running_without_docker() -> None:
    shell = ContainerTask(name="c", image="alpine", command=["echo"], inputs=kwtypes(x=int), outputs=kwtypes(y=int))
    with task_mock(shell) as mock:
        mock.return_value = 3
        assert shell(x=1) == 3


def test_an_async_task_is_awaited_and_runs_in_a_workflow() -> None:
    @task
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    @workflow
    def wf(x: int) -> int:
        return later(x=x)

    assert wf(x=1) == 2
    assert asyncio.run(later(x=2)) == 3


def test_an_eager_task_uses_results_as_values() -> None:
    @eager
    async def main(x: int) -> int:
        first = square(x=x)
        assert first == x * x
        return add(a=first)

    assert asyncio.run(main(x=3)) == 19


def test_an_output_of_the_wrong_type_is_an_error_of_the_task() -> None:
    @task
    def wrong() -> int:
        return "text"  # type: ignore[return-value]

    with pytest.raises(TypeError, match="Failed to convert outputs of task"):
        wrong()


def test_a_workflow_that_returns_too_little_is_refused() -> None:
    @workflow
    def wf(x: int) -> tuple[int, int]:
        return square(x=x)  # type: ignore[return-value]

    with pytest.raises((FlyteValidationException, AssertionError, ValueError)):
        wf(x=1)


def test_a_local_run_leaves_the_context_as_it_was() -> None:
    before = FlyteContextManager.current_context()
    with pytest.raises(ValueError, match="no 1"):
        fail(x=1)
    assert FlyteContextManager.current_context() is before
