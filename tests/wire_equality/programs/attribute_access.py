from typing import Dict, List

from flyte_kit import task, workflow


@task
def lists() -> List[Dict[str, int]]:
    return [{"a": 1}]


@task
def plain(x: int) -> int:
    return x


@workflow
def wf(ys: List[int]) -> int:
    xs = lists()
    return plain(x=plain(x=xs[0]["a"])) if True else ys[1]


@workflow
def of_input(ys: List[int], m: Dict[str, List[int]]) -> int:
    plain(x=ys[1])
    return plain(x=m["k"][0])
