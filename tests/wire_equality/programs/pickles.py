from typing import Any, List, Set

from flyte_kit import task, workflow


class Thing:
    pass


@task
def make() -> Thing:
    return Thing()


@task
def use(t: Thing, s: Set[int], a: Any, ts: List[Thing]) -> Thing:
    return t


@task(pickle_untyped=True)
def untyped(a, b):
    return a
