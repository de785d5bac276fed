from typing import List

from flyte_kit import dynamic, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@dynamic
def many(n: int) -> List[int]:
    return [double(x=i) for i in range(n)]


@workflow
def wf(n: int = 3) -> List[int]:
    return many(n=n)
