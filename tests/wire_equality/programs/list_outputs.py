from typing import Dict, List

from flyte_kit import task, workflow


@task
def number(x: int) -> int:
    return x


@workflow
def wf() -> (List[int], Dict[str, int]):
    many = [number(x=i) for i in range(3)]
    return many, {"first": many[0], "second": many[1]}
