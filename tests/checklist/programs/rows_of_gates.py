"""What a user would write: workflows that wait for somebody."""

from datetime import timedelta

from flyte_kit import LaunchPlan, approve, sleep, task, wait_for_input, workflow


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def asks(x: int) -> int:
    pause = sleep(timedelta(seconds=0))
    given = wait_for_input("how-many", timeout=timedelta(minutes=5), expected_type=int)
    result = add(a=x, b=given)
    pause >> result
    return approve(result, "go-on", timeout=timedelta(minutes=5))


@workflow
def impatient() -> int:
    return wait_for_input("nobody-says", timeout=timedelta(seconds=1), expected_type=int)


@workflow
def small(x: int) -> int:
    return double(x=x)


plan = LaunchPlan.get_or_create(small, "rows.small_plan")


@workflow
def by_plan(x: int) -> int:
    return plan(x=x)
