"""Every kind of value that an interop test passes between tasks and back to the client."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Dict, List, Optional, Union

import pandas as pd
from flytekit import current_context, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from pydantic import BaseModel


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    label: str


class Setting(BaseModel):
    rate: float
    tags: List[str]


@task
def lists(n: int) -> List[int]:
    return list(range(n))


@task
def maps(xs: List[int]) -> Dict[str, int]:
    return {str(x): x * x for x in xs}


@task
def point(m: Dict[str, int]) -> Point:
    return Point(x=sum(m.values()), label="sum")


@task
def setting(p: Point) -> Setting:
    return Setting(rate=p.x / 2, tags=[p.label])


@task
def colour(s: Setting) -> Colour:
    return Colour.BLUE if s.rate > 1 else Colour.RED


@task
def maybe(c: Colour) -> Optional[str]:
    return c.value if c is Colour.BLUE else None


@task
def either(s: Optional[str]) -> Union[int, str]:
    return s or 0


@task
def moments(e: Union[int, str]) -> datetime:
    return datetime(2024, 2, 29, 12, 30) + timedelta(days=len(str(e)))


@task
def file(at: datetime) -> FlyteFile:
    path = Path(current_context().working_directory) / "day.txt"
    path.write_text(at.isoformat())
    return FlyteFile(str(path))


@task
def folder(f: FlyteFile) -> FlyteDirectory:
    where = Path(current_context().working_directory) / "days"
    where.mkdir()
    (where / "one.txt").write_text(Path(f.download()).read_text())
    (where / "two.txt").write_text("two")
    return FlyteDirectory(str(where))


@task
def frame(d: FlyteDirectory) -> pd.DataFrame:
    names = sorted(path.name for path in Path(d.download()).iterdir())
    return pd.DataFrame({"name": names, "size": [len(name) for name in names]})


@task
def rows(f: pd.DataFrame) -> int:
    return len(f)


@workflow
def everything(
    n: int = 4,
) -> (
    List[int],
    Dict[str, int],
    Point,
    Setting,
    Colour,
    Optional[str],
    Union[int, str],
    datetime,
    FlyteFile,
    FlyteDirectory,
    pd.DataFrame,
    int,
):
    a = lists(n=n)
    b = maps(xs=a)
    c = point(m=b)
    d = setting(p=c)
    e = colour(s=d)
    f = maybe(c=e)
    g = either(s=f)
    h = moments(e=g)
    i = file(at=h)
    j = folder(f=i)
    k = frame(d=j)
    return a, b, c, d, e, f, g, h, i, j, k, rows(f=k)
