"""Workflows and what stands in them: maps, conditionals, gates, nodes, launch plans, references."""

import functools
from datetime import timedelta
from typing import NamedTuple, assert_type

from flyte_kit import (
    CronSchedule,
    Email,
    FixedRate,
    LaunchPlan,
    Resources,
    Workflow,
    WorkflowExecutionPhase,
    WorkflowFailurePolicy,
    approve,
    conditional,
    create_node,
    map_task,
    reference_launch_plan,
    reference_task,
    reference_workflow,
    sleep,
    task,
    wait_for_input,
    workflow,
)


class Stats(NamedTuple):
    """Two outputs with names."""

    mean: float
    size: int


@task
def square(n: int) -> int:
    return n * n


@task
def scale(n: int, by: float) -> float:
    return n * by


@task
def stats(values: list[int]) -> Stats:
    return Stats(sum(values) / len(values), len(values))


@task
def sparse(values: list[int | None]) -> int:
    return sum(value is None for value in values)


@task
def name_of(n: int) -> str:
    return str(n)


@workflow
def area(n: int = 3) -> int:
    result = square(n=n)
    assert_type(result, int)
    return result


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, interruptible=True)
def summary(values: list[int]) -> Stats:
    squares = map_task(square, concurrency=2)(n=values)
    assert_type(squares, list[int])
    found = stats(values=squares)
    assert_type(found.mean, float)
    return Stats(mean=found.mean, size=found.size)


@workflow
def mapped(values: list[int]) -> tuple[list[float], int]:
    scaled = map_task(functools.partial(scale, by=2.0))(n=values)
    assert_type(scaled, list[float])
    some = map_task(square, min_success_ratio=0.5)(n=values)
    assert_type(some, list[int | None])
    return scaled, sparse(values=some)


@workflow
def choice(n: int) -> int:
    chosen = (
        conditional("size")
        .if_((n > 10) & (n < 100))
        .then(square(n=n))
        .elif_(n < 5)
        .then(square(n=n))
        .else_()
        .fail("small")
    )
    assert_type(chosen, int)
    return chosen


@workflow
def choice_of_kinds(n: int) -> float:
    either = conditional("kind").if_(n > 1).then(square(n=n)).else_().then(scale(n=n, by=0.5))
    assert_type(either, int | float)
    return either


@workflow
def waiting(n: int) -> int:
    agreed = approve(square(n=n), "is it right?", timeout=timedelta(hours=1))
    assert_type(agreed, int)
    given = wait_for_input("factor", timeout=timedelta(hours=1), expected_type=float)
    assert_type(given, float)
    sleep(timedelta(seconds=1))
    scale(n=agreed, by=given)
    return agreed


@workflow
def ordered(n: int) -> int:
    before = create_node(name_of, n=n)
    after = create_node(square, n=n).with_overrides(requests=Resources(cpu="1"), retries=2)
    before >> after
    return area(n=n)


@workflow
def annotated(n: int) -> str:
    inner: int = area(n=n)
    return name_of(n=inner)


nightly = LaunchPlan.get_or_create(
    area,
    "nightly",
    default_inputs={"n": 4},
    schedule=CronSchedule(schedule="0 1 * * *"),
    notifications=[Email(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["a@example.org"])],
    max_parallelism=3,
)
hourly = LaunchPlan.create("hourly", summary, fixed_inputs={"values": [1]}, schedule=FixedRate(timedelta(hours=1)))
plain = LaunchPlan.get_or_create(area)


@workflow
def of_plans(n: int) -> tuple[int, float]:
    assert_type(nightly(n=n), int)
    assert_type(plain(), int)
    return nightly(n=n), hourly().mean


def names(plans: list[LaunchPlan]) -> list[str]:
    return [plan.name for plan in plans]


names([nightly, hourly])


@reference_task(project="p", domain="d", name="tasks.far", version="v1")
def far(text: str) -> int: ...  # type: ignore[empty-body]


@reference_workflow(project="p", domain="d", name="workflows.far", version="v1")
def far_workflow(text: str) -> str: ...  # type: ignore[empty-body]


@reference_launch_plan(project="p", domain="d", name="plans.far", version="v1")
def far_plan(text: str) -> bool: ...  # type: ignore[empty-body]


@workflow
def referring(text: str) -> tuple[int, bool]:
    assert_type(far(text=text), int)
    assert_type(map_task(far)(text=[text]), list[int])
    assert_type(map_task(far_plan)(text=[text]), list[bool])
    return far(text=text), far_plan(text=text)


imperative = Workflow(name="imperative")
imperative.add_workflow_input("n", int)
node = imperative.add_entity(square, n=imperative.inputs["n"])
imperative.add_workflow_output("result", node.outputs["o0"])


@workflow
def wrong_argument() -> int:
    return square(n="3")  # mypy[arg-type] pyright[reportArgumentType]


@workflow
def wrong_output() -> str:
    return square(n=3)  # mypy[return-value] pyright[reportReturnType]


@workflow
def wrong_input_of_the_next(n: int) -> int:
    return square(n=name_of(n=n))  # mypy[arg-type] pyright[reportArgumentType]


@workflow
def wrong_name(n: int) -> int:
    return square(m=n)  # mypy[call-arg] pyright[reportCallIssue]


@workflow
def wrong_list(values: list[int]) -> list[str]:
    return map_task(square)(n=values)  # mypy[return-value] pyright[reportReturnType]


@workflow
def list_with_gaps(values: list[int]) -> float:
    some = map_task(square, min_success_ratio=0.5)(n=values)
    return stats(values=some).mean  # mypy[arg-type] pyright[reportArgumentType]


@workflow
def wrong_branch(n: int) -> int:
    either = conditional("kind").if_(n > 1).then(square(n=n)).else_().then(name_of(n=n))
    return either  # mypy[return-value] pyright[reportReturnType]


@workflow
def no_end(n: int) -> int:
    return conditional("kind").if_(n > 1).then(square(n=n))  # mypy[return-value] pyright[reportReturnType]


@workflow
def wrong_condition(n: int) -> int:
    return conditional("kind").if_("n > 1").then(n).else_().fail("no")  # mypy[arg-type] pyright[reportArgumentType]


@workflow
def wrong_output_of_a_named_tuple(values: list[int]) -> float:
    return stats(values=values).median  # mypy[attr-defined] pyright[reportAttributeAccessIssue]


@workflow
def wrong_signal(n: int) -> int:
    return wait_for_input("n", timedelta(hours=1), expected_type=str)  # mypy[return-value] pyright[reportReturnType]


@workflow
def wrong_call_of_a_workflow() -> int:
    return area(n="3")  # mypy[arg-type] pyright[reportArgumentType]


@workflow
def wrong_output_of_a_plan(n: int) -> str:
    return nightly(n=n)  # mypy[return-value] pyright[reportReturnType]


@workflow
def wrong_reference(n: int) -> int:
    return far(text=n)  # mypy[arg-type] pyright[reportArgumentType]


def wrong_arguments() -> None:
    LaunchPlan.get_or_create(area, "cron", schedule="0 1 * * *")  # mypy[arg-type] pyright[reportArgumentType]
    LaunchPlan.get_or_create(area, "misspelt", default_input={"n": 4})  # mypy[call-arg] pyright[reportCallIssue]
    LaunchPlan.create("of a task", square)  # mypy[arg-type] pyright[reportArgumentType]
    LaunchPlan.create("of a function", names)  # mypy[arg-type] pyright[reportArgumentType]
    map_task(len)  # mypy[call-overload] pyright[reportArgumentType, reportCallIssue]
    map_task(area)  # mypy[call-overload] pyright[reportArgumentType, reportCallIssue]
    map_task(square, concurrency="2")  # mypy[call-overload] pyright[reportArgumentType, reportCallIssue]
