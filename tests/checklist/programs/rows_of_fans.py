"""What a user would write: workflows whose size is known only when they run."""

import functools

from flyte_kit import LaunchPlan, conditional, dynamic, map_task, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def not_two(x: int) -> int:
    if x == 2:
        raise ValueError("two")
    return x


@workflow
def each(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)


@workflow
def each_with(xs: list[int], b: int) -> list[int]:
    return map_task(functools.partial(add, b=b))(a=xs)


@workflow
def some(xs: list[int]) -> list[int | None]:
    return map_task(not_two, concurrency=2, min_success_ratio=0.5)(x=xs)


@workflow
def one(x: int) -> int:
    return double(x=x)


one_plan = LaunchPlan.get_or_create(one, "rows.one_plan")
hinted_plan = LaunchPlan.get_or_create(one, "rows.hinted_plan")


@workflow
def each_execution(xs: list[int]) -> list[int]:
    return map_task(one_plan)(x=xs)


@dynamic
def fan(n: int) -> list[int]:
    return [double(x=index) for index in range(n)]


@workflow
def fanned(n: int) -> int:
    return total(xs=fan(n=n))


@dynamic
def choose_inside(n: int) -> int:
    later = add(a=n, b=0)  # n itself is a number here, of which Python decides
    return conditional("size").if_(later < 2).then(double(x=later)).else_().then(add(a=later, b=100))


@dynamic(node_dependency_hints=[hinted_plan])
def launcher(n: int) -> int:
    return hinted_plan(x=n)
