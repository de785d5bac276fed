from typing import List

from flyte_kit import map_task, task, workflow


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def wf(xs: List[int]) -> List[int]:
    return map_task(double)(x=xs)
