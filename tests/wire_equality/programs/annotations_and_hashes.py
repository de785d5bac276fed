from typing import Annotated, List

from flyte_kit import HashMethod, task, workflow
from flyte_kit.core.annotation import FlyteAnnotation


@task
def make(
    a: Annotated[int, FlyteAnnotation({"unit": "m"})], b: List[Annotated[str, FlyteAnnotation({"k": [1, 2]})]]
) -> Annotated[int, HashMethod(str)]:
    return a


@workflow
def wf(a: int) -> int:
    return make(a=a, b=["x"])
