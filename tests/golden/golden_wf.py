"""Small workflows, one per node kind, written for the golden files (stock flytekit)."""

from datetime import timedelta
from functools import partial
from typing import List

from flytekit import (
    LaunchPlan,
    WorkflowFailurePolicy,
    approve,
    conditional,
    dynamic,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)

IMG = "localhost/golden:1"


@task(container_image=IMG)
def double(x: int) -> int:
    return x * 2


@task(container_image=IMG, retries=2, timeout=timedelta(minutes=5))
def add(a: int, b: int = 1) -> int:
    return a + b


@task(container_image=IMG)
def void() -> None:
    print("nothing")


@task(container_image=IMG)
def boom(x: int) -> int:
    if x >= 0:
        raise ValueError("boom %d" % x)
    return x


@task(container_image=IMG)
def clean_up(x: int) -> None:
    print("cleaning up after", x)


@workflow
def single(x: int = 3) -> int:
    return double(x=x)


@workflow
def chain(x: int = 1) -> int:
    a = double(x=x)
    b = add(a=a, b=5)
    v = void()
    c = double(x=b)
    v >> c
    return c


@workflow
def branch(x: int = 7) -> int:
    return (
        conditional("size")
        .if_((x > 1) & (x <= 5))
        .then(double(x=x))
        .elif_((x > 5) | (x == -1))
        .then(add(a=x, b=100))
        .else_()
        .fail("x is too small")
    )


@workflow
def sub(x: int) -> int:
    return add(a=double(x=x))


@workflow
def parent_sub(x: int = 2) -> int:
    y = sub(x=x)
    return double(x=y)


lp_sub = LaunchPlan.get_or_create(sub, name="golden_wf.lp_sub", default_inputs={"x": 10}, labels=None)


@workflow
def parent_lp(x: int = 4) -> int:
    return double(x=lp_sub(x=x))


@dynamic(container_image=IMG)
def dyn(n: int) -> List[int]:
    out = []
    for i in range(n):
        out.append(double(x=i))
    return out


@workflow
def parent_dyn(n: int = 3) -> List[int]:
    return dyn(n=n)


@workflow
def parent_map(xs: List[int] = [1, 2, 3, 4]) -> List[int]:
    return map_task(partial(add, b=10), concurrency=2, min_success_ratio=1.0)(a=xs)


@workflow
def gates(x: int = 5) -> int:
    s = sleep(timedelta(seconds=2))
    n = wait_for_input("how-many", timeout=timedelta(minutes=10), expected_type=int)
    a = add(a=x, b=n)
    ok = approve(a, "go-ahead", timeout=timedelta(minutes=10))
    s >> n
    return double(x=ok)


@workflow(on_failure=clean_up, failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def with_failure_node(x: int = 6) -> int:
    return double(x=boom(x=x))


@task(container_image=IMG, cache=True, cache_version="1.0")
def cached(x: int) -> int:
    return x + 1000


@workflow
def cache_wf(x: int = 1) -> int:
    return cached(x=x)
