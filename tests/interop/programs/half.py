"""One half of a mixed run: for each kind of value a task that makes one and a task that reads one.

Written for flytekit; the test makes the other half of it by changing the imports.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
from flytekit import FlyteDirectory, FlyteFile, current_context, task, workflow
from pydantic import BaseModel


@dataclass
class Point:
    x: int
    label: str


class Setting(BaseModel):
    rate: float
    tags: list[str]


@task
def make_primitives(n: int) -> tuple[int, float, str, bool, datetime, timedelta]:
    return n, n / 4, f"n{n}", n > 2, datetime(2024, 2, n, tzinfo=timezone.utc), timedelta(minutes=n)


@task
def read_primitives(i: int, f: float, s: str, b: bool, at: datetime, after: timedelta) -> str:
    return f"{i} {f} {s} {b} {at:%Y-%m-%d} {after}"


@task
def make_point(n: int) -> Point:
    return Point(x=n, label=f"p{n}")


@task
def read_point(p: Point) -> str:
    return f"{p.label}={p.x}"


@task
def make_setting(n: int) -> Setting:
    return Setting(rate=n / 2, tags=[f"t{n}"])


@task
def read_setting(s: Setting) -> str:
    return f"{s.tags[0]}@{s.rate}"


@task
def make_file(n: int) -> FlyteFile:
    path = Path(current_context().working_directory) / "made.txt"
    path.write_text(f"file {n}")
    return FlyteFile(str(path))


@task
def read_file(f: FlyteFile) -> str:
    return Path(f.download()).read_text()


@task
def make_folder(n: int) -> FlyteDirectory:
    folder = Path(current_context().working_directory) / "made"
    folder.mkdir()
    for index in range(n):
        (folder / f"{index}.txt").write_text(str(index))
    return FlyteDirectory(str(folder))


@task
def read_folder(d: FlyteDirectory) -> str:
    return " ".join(sorted(path.name for path in Path(d.download()).iterdir()))


@task
def make_frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"n": list(range(n)), "square": [i * i for i in range(n)]})


@task
def read_frame(t: pd.DataFrame) -> str:
    return f"{list(t.columns)} {int(t['square'].sum())}"


@workflow
def made(n: int = 3) -> tuple[int, str, Point, Setting, FlyteFile, FlyteDirectory, pd.DataFrame]:
    i, f, s, b, at, after = make_primitives(n=n)
    text = read_primitives(i=i, f=f, s=s, b=b, at=at, after=after)
    return i, text, make_point(n=n), make_setting(n=n), make_file(n=n), make_folder(n=n), make_frame(n=n)


@workflow
def given(
    n: int, at: datetime, p: Point, s: Setting, f: FlyteFile, d: FlyteDirectory, t: pd.DataFrame
) -> tuple[str, str, str, str, str, str]:
    primitives = read_primitives(i=n, f=0.5, s="given", b=True, at=at, after=timedelta(hours=1))
    return primitives, read_point(p=p), read_setting(s=s), read_file(f=f), read_folder(d=d), read_frame(t=t)
