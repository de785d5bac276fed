from typing import Dict, List

from flyte_kit import task, workflow


@task
def number(x: int) -> int:
    return x


@task
def total(xs: List[int], by_name: Dict[str, int]) -> int:
    return sum(xs)


@workflow
def wf(x: int) -> int:
    a = number(x=x)
    b = number(x=2)
    return total(xs=[a, b, 3, x], by_name={"a": a, "x": x, "four": 4})
