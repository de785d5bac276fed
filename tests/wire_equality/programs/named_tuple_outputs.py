from typing import NamedTuple

from flyte_kit import task, workflow

Result = NamedTuple("Result", total=int, name=str)


@task
def both(a: int) -> Result:
    return Result(a, "x")


@workflow
def wf(a: int) -> Result:
    r = both(a=a)
    return Result(r.total, r.name)


@workflow
def outer(a: int) -> (int, str):
    total, name = wf(a=a)
    return total, name
