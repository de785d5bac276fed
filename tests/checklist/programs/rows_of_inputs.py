"""What a user would write: a task with inputs of every kind."""

import enum
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pandas as pd
from pydantic import BaseModel

from flyte_kit import FlyteDirectory, FlyteFile, task


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Size:
    width: int
    label: str = ""


class Model(BaseModel):
    rate: float = 1.0


@task
def every_kind(
    n: int = 1,
    f: float = 1.0,
    text: str = "",
    flag: bool = False,
    other: bool = True,
    at: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    day: date = date(2020, 1, 1),
    span: timedelta = timedelta(seconds=1),
    xs: list[int] = [],  # noqa: B006 - as users write it
    m: dict[str, float] = {},  # noqa: B006
    d: dict = {},  # noqa: B006
    size: Size = Size(0),  # noqa: B008
    model: Model = Model(),  # noqa: B008
    colour: Colour = Colour.BLUE,
    choice: Literal["a", "b"] = "a",
    u: int | str = "text",
    o: int | None = None,
) -> str:
    return (
        f"{n=} {f=} {text=} {flag=} {other=} at={at.isoformat()} {day=!s} {span=!s} {xs=} {m=} {d=} {size=} {model=}"
        f" {colour=} {choice=} {u=} {o=}"
    )


@task
def of_paths(file: FlyteFile, folder: FlyteDirectory, table: pd.DataFrame) -> str:
    with open(file) as opened:
        return f"{opened.read()} {sorted(os.listdir(folder))} {table['a'].sum()}"
