from typing import NamedTuple

from flyte_kit import task, workflow

One = NamedTuple("One", only=int)


@task
def one(a: int) -> One:
    return One(a)


@workflow
def wf(a: int) -> One:
    return one(a=one(a=a).only)
