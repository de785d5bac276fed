from typing import List

from flyte_kit import LaunchPlan, map_task, task, workflow


@task
def add(a: int, b: int, c: int) -> int:
    return a + b + c


@workflow
def inner(a: int, b: int, c: int = 4) -> int:
    return add(a=a, b=b, c=c)


plan = LaunchPlan.get_or_create(inner, "mapped_plan", default_inputs={"b": 3}, fixed_inputs={"c": 5})


@workflow
def wf() -> List[int]:
    return map_task(plan, concurrency=2, min_success_ratio=1.0)(a=[1, 2], b=[3, 4])
