from typing import List

from flyte_kit import conditional, dynamic, map_task, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def inner(x: int) -> int:
    return double(x=x)


@dynamic
def deep(n: int) -> int:
    return double(x=n)


@dynamic(retries=1)
def all_kinds(n: int) -> List[int]:
    a = inner(x=n)
    b = deep(n=n)
    return map_task(double)(x=[a, b])
