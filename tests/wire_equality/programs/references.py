from typing import List

from flyte_kit import map_task, reference_launch_plan, reference_task, task, workflow


@reference_task(project="p2", domain="d2", name="other.module.task", version="v9")
def far(x: int) -> int: ...


@reference_launch_plan(project="p2", domain="d2", name="other.plan", version="v8")
def far_plan(x: int) -> str: ...


@task
def near(x: int) -> int:
    return x


@workflow
def wf(x: int) -> str:
    return far_plan(x=far(x=near(x=x)))


@workflow
def mapped(xs: List[int]) -> List[int]:
    return map_task(far)(x=xs)
