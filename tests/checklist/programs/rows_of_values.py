"""What a user would write: tasks between which values of many types go."""

import enum
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa

from flyte_kit import StructuredDataset, kwtypes, task, workflow


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Size:
    width: int
    label: str | None = None
    parts: list[float] = field(default_factory=list)


@task
def of_size(size: Size) -> str:
    return f"{size.width} {size.label} {size.parts}"


@workflow
def sized(size: Size) -> str:
    return of_size(size=size)


@task
def of_colour(colour: Colour) -> str:
    assert isinstance(colour, Colour)
    return colour.value


@workflow
def coloured(colour: Colour) -> str:
    return of_colour(colour=colour)


@task
def make_table(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"a": range(rows), "b": ["x"] * rows, "c": [0.5] * rows})


@task
def columns_of(table: Annotated[StructuredDataset, kwtypes(a=int, c=float)]) -> list[str]:
    return [*table.open(pd.DataFrame).all().columns]


@task
def rows_of_arrow(table: pa.Table) -> int:
    return table.num_rows


@workflow
def tables(rows: int) -> tuple[list[str], int]:
    table = make_table(rows=rows)
    return columns_of(table=table), rows_of_arrow(table=table)


@task
def large(megabytes: int) -> str:
    return "x" * (megabytes * 1024 * 1024)


@task
def size_of(text: str) -> int:
    return len(text)


@workflow
def large_between(megabytes: int) -> int:
    return size_of(text=large(megabytes=megabytes))


@task
def make_array(n: int) -> np.ndarray:
    return np.arange(n)


@task
def sum_of(array: np.ndarray) -> int:
    return int(array.sum())


@workflow
def arrays(n: int) -> int:
    return sum_of(array=make_array(n=n))
