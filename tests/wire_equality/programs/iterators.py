from typing import Iterator, List

from flyte_kit import task, workflow
from flyte_kit.types.iterator import JSON


@task
def lines(x: Iterator[int]) -> Iterator[JSON]:
    yield {"a": 1}
