"""Tasks that leave a mark for each time they run, cached in every way; and a workflow to recover."""

import time
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import pandas as pd
from flytekit import Cache, HashMethod, dynamic, task, workflow  # noqa: F401


def mark(marks: str, name: str) -> None:
    (Path(marks) / f"{name}-{uuid4().hex}").touch()


@task(cache=True, cache_version="1")
def square(x: int, marks: str) -> int:
    mark(marks, "square")
    return x * x


@workflow
def squares(x: int, marks: str) -> tuple[int, int]:
    first = square(x=x, marks=marks)
    return first, square(x=first, marks=marks)


@task(cache=Cache(version="1", ignored_inputs=("seconds",), serialize=True))
def slow(x: int, marks: str, seconds: float) -> int:
    mark(marks, "slow")
    time.sleep(seconds)
    return x + 1


@workflow
def slowly(x: int, marks: str, seconds: float) -> int:
    return slow(x=x, marks=marks, seconds=seconds)


def by_length(frame: pd.DataFrame) -> str:
    return str(len(frame))


@task
def frame(rows: int, value: int) -> Annotated[pd.DataFrame, HashMethod(by_length)]:
    return pd.DataFrame({"a": [value] * rows})


@task(cache=True, cache_version="1")
def total(data: pd.DataFrame, marks: str) -> int:
    mark(marks, "total")
    return int(data["a"].sum())


@workflow
def hashed(rows: int, value: int, marks: str) -> int:
    return total(data=frame(rows=rows, value=value), marks=marks)


@task
def first(x: int, marks: str) -> int:
    mark(marks, "first")
    return x + 1


@task
def breaks_once(x: int, marks: str) -> int:
    mark(marks, "breaks")
    if not (Path(marks) / "repaired").exists():
        raise ValueError("not yet")
    return x * 10


@workflow
def inner(x: int, marks: str) -> int:
    return breaks_once(x=first(x=x, marks=marks), marks=marks)


@workflow
def breaking(x: int, marks: str) -> int:
    return first(x=inner(x=first(x=x, marks=marks), marks=marks), marks=marks)


@workflow
def overridden(x: int, marks: str) -> int:
    return first(x=x, marks=marks).with_overrides(cache=True, cache_version="7")
