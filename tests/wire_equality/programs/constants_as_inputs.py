from typing import Dict, List, Optional, Union

from flyte_kit import task, workflow


@task
def take(
    a: List[int], b: Dict[str, List[str]], c: Optional[int], d: Union[int, str], e: dict, f: Optional[List[int]]
) -> int:
    return 1


@workflow
def wf() -> int:
    return take(a=[1, 2], b={"x": ["y"]}, c=4, d="text", e={"k": [1]}, f=[1, 2])


@workflow
def nothing() -> int:
    return take(a=[], b={}, c=None, d=3, e={}, f=None)
