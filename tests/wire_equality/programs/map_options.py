from functools import partial
from typing import List, Optional

from flyte_kit import Resources, map_task, task, workflow


@task(cache=True, cache_version="1", requests=Resources(cpu="1"), retries=2)
def scale(x: int, by: int) -> int:
    return x * by


@task
def log(x: int) -> None: ...


@workflow
def wf(xs: List[int], by: int = 3) -> List[Optional[int]]:
    map_task(log, concurrency=0)(x=xs)
    return map_task(partial(scale, by=by), concurrency=4, min_success_ratio=0.5)(x=xs)


@workflow
def at_least(xs: List[int]) -> List[int]:
    mapped = map_task(partial(scale, by=2), min_successes=3)(x=xs).with_overrides(
        requests=Resources(mem="1Gi"), limits=Resources(mem="2Gi"), retries=5, cache=True, cache_version="9"
    )
    return mapped
