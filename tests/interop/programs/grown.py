"""Dynamic tasks of stock flytekit: fan-outs, conditionals, sub-workflows, recursion, failures, retries."""

import os
from datetime import timedelta
from pathlib import Path
from typing import List

from flytekit import LaunchPlan, conditional, current_context, dynamic, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def total(xs: List[int]) -> int:
    return sum(xs)


@task
def leave(mark: str) -> None:
    Path(mark).write_text("left")


@dynamic
def fan(xs: List[int]) -> List[int]:
    return [double(x=x) for x in xs]


@workflow
def fanned(xs: List[int]) -> int:
    return total(xs=fan(xs=xs))


@workflow
def inner(xs: List[int]) -> int:
    return total(xs=fan(xs=xs))


@workflow
def within(xs: List[int]) -> int:
    return add(a=inner(xs=xs), b=1)


@dynamic
def power(base: int, exponent: int) -> int:
    if exponent == 0:
        return 1
    smaller = power(base=base, exponent=exponent - 1)
    return times(a=base, b=smaller)


@task
def times(a: int, b: int) -> int:
    return a * b


@workflow
def nested(base: int, exponent: int) -> int:
    return power(base=base, exponent=exponent)


@dynamic
def choose(x: int) -> int:
    y = add(a=x, b=0)
    return conditional("size").if_(y < 10).then(double(x=y)).else_().then(fan_total(n=y))


@dynamic
def fan_total(n: int) -> int:
    return inner(xs=list(range(n)))


@workflow
def choosing(x: int) -> int:
    return choose(x=x)


@dynamic
def one_by_one(marks: List[str]) -> None:
    before = None
    for mark in marks:
        node = leave(mark=mark)
        if before is not None:
            before >> node
        before = node


@workflow
def void(marks: List[str]) -> None:
    one_by_one(marks=marks)


@task(retries=1)
def refuse(x: int) -> int:
    if x == 3:
        raise ValueError(f"no good: {x}")
    return x


@dynamic(retries=2)
def some_fail(n: int) -> List[int]:
    return [refuse(x=i) for i in range(n)]


@workflow
def failing(n: int) -> List[int]:
    return some_fail(n=n)


def attempt() -> int:
    return int(os.environ.get("FLYTE_ATTEMPT_NUMBER", "0"))


@dynamic(retries=2)
def later(n: int) -> List[int]:
    if attempt() < 1:
        raise FlyteRecoverableException("not yet")
    return [double(x=i + 10 * attempt()) for i in range(n)]


@workflow
def again(n: int) -> List[int]:
    return later(n=n)


@task
def slow(x: int) -> int:
    import time

    time.sleep(x)
    return x


@dynamic(retries=1)
def waits() -> int:
    return slow(x=600).with_overrides(timeout=timedelta(seconds=1), retries=5)


@workflow
def hopeless() -> int:
    return waits()


inner_plan = LaunchPlan.get_or_create(inner, "grown.inner_plan", default_inputs={"xs": [1, 2]})


@dynamic
def launches(n: int) -> int:
    return add(a=inner_plan(xs=list(range(n))), b=inner_plan())


@workflow
def launching(n: int) -> int:
    return launches(n=n)


@dynamic
def mixed(n: int) -> (List[int], str, int):
    xs = fan(xs=list(range(n)))
    return xs, current_context().execution_id.name, 7


@workflow
def several(n: int) -> (List[int], str, int):
    return mixed(n=n)


@dynamic
def crowd(n: int, mark: str) -> int:
    values = [step(x=i, mark=f"{mark}/{i:02}") for i in range(n)]
    chain = step(x=0, mark=f"{mark}/c0")
    for i in range(1, 6):
        chain = step(x=chain, mark=f"{mark}/c{i}")
    return total(xs=[*values, chain])


@task
def step(x: int, mark: str) -> int:
    import time

    with open(mark, "a") as file:
        file.write("ran\n")
    time.sleep(0.3)
    return x + 1


@dynamic
def crowds(n: int, mark: str) -> int:
    return add(a=crowd(n=n, mark=mark), b=0)


@workflow
def killed(n: int, mark: str) -> int:
    return crowds(n=n, mark=mark)
