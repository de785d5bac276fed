"""Maps, as users of flytekit write them."""

from functools import partial
from typing import List, Optional

from flytekit import LaunchPlan, dynamic, map_task, task, workflow


@task
def double(x: int) -> int:
    return x * 2


@task
def add(a: int, b: int, c: int = 0) -> int:
    return a + b + c


@task
def only_even(x: int) -> int:
    if x % 2:
        raise ValueError(f"odd: {x}")
    return x


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@task
def present(xs: List[Optional[int]]) -> str:
    return str(xs)


@task
def say(x: int) -> None:
    print(x)


@workflow
def three(xs: List[int]) -> List[int]:
    return map_task(double)(x=xs)


@workflow
def tied(xs: List[int], b: int = 10) -> List[int]:
    return map_task(partial(add, b=b, c=100))(a=xs)


@workflow
def narrow(xs: List[int]) -> int:
    return total(xs=map_task(double, concurrency=1)(x=xs))


@workflow
def tolerant(xs: List[int]) -> str:
    return present(xs=map_task(only_even, min_success_ratio=0.6)(x=xs))


@workflow
def strict(xs: List[int]) -> List[int]:
    return map_task(only_even)(x=xs)


@workflow
def silent(xs: List[int]) -> None:
    map_task(say)(x=xs)


@workflow
def outer(xs: List[int]) -> int:
    return total(xs=three(xs=xs))


@dynamic
def counted(n: int) -> List[int]:
    return map_task(double, concurrency=2)(x=list(range(n)))


@workflow
def fanned(n: int) -> int:
    return total(xs=counted(n=n))


@workflow
def one(x: int) -> int:
    return double(x=x)


one_plan = LaunchPlan.get_or_create(one, name="mapping.one_plan")


@workflow
def plans(xs: List[int]) -> List[int]:
    return map_task(one_plan)(x=xs)
