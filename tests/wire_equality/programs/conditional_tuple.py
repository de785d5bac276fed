from typing import Tuple

from flyte_kit import conditional, task, workflow


@task
def two(x: int) -> Tuple[int, str]:
    return x, "x"


@task
def one(x: int) -> int:
    return x


@workflow
def wf(x: int) -> (int, str):
    a, b = conditional("pair").if_(x == 1).then(two(x=x)).else_().then(two(x=2))
    return a, b


@workflow
def common(x: int) -> int:
    return conditional("common").if_(x == 1).then(two(x=x)).else_().then(one(x=2))
