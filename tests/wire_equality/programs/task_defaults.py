from typing import Optional

from flyte_kit import task, workflow


@task
def add(a: int, b: int = 5, c: Optional[str] = None, d: float = 0.5) -> int:
    return a + b


@workflow
def wf(a: int) -> int:
    return add(a=add(a=a), b=7)
