"""A workflow whose tasks come half from this SDK and half from the other one, which has registered them before.

Written for flytekit; the test makes the other one of it by changing the imports. OTHER and VERSION are filled in too.
"""

from datetime import datetime, timedelta

import half
import pandas as pd
from flytekit import FlyteDirectory, FlyteFile, reference_task, workflow
from half import Point, Setting

WHERE = {"project": "flytesnacks", "domain": "development", "version": "VERSION"}


@reference_task(name="OTHER.make_primitives", **WHERE)
def make_primitives(n: int) -> tuple[int, float, str, bool, datetime, timedelta]: ...


@reference_task(name="OTHER.read_primitives", **WHERE)
def read_primitives(i: int, f: float, s: str, b: bool, at: datetime, after: timedelta) -> str: ...


@reference_task(name="OTHER.make_point", **WHERE)
def make_point(n: int) -> Point: ...


@reference_task(name="OTHER.read_point", **WHERE)
def read_point(p: Point) -> str: ...


@reference_task(name="OTHER.make_setting", **WHERE)
def make_setting(n: int) -> Setting: ...


@reference_task(name="OTHER.read_setting", **WHERE)
def read_setting(s: Setting) -> str: ...


@reference_task(name="OTHER.make_file", **WHERE)
def make_file(n: int) -> FlyteFile: ...


@reference_task(name="OTHER.read_file", **WHERE)
def read_file(f: FlyteFile) -> str: ...


@reference_task(name="OTHER.make_folder", **WHERE)
def make_folder(n: int) -> FlyteDirectory: ...


@reference_task(name="OTHER.read_folder", **WHERE)
def read_folder(d: FlyteDirectory) -> str: ...


@reference_task(name="OTHER.make_frame", **WHERE)
def make_frame(n: int) -> pd.DataFrame: ...


@reference_task(name="OTHER.read_frame", **WHERE)
def read_frame(t: pd.DataFrame) -> str: ...


@workflow
def ours_to_theirs(n: int = 3) -> tuple[str, str, str, str, str, str]:
    i, f, s, b, at, after = half.make_primitives(n=n)
    primitives = read_primitives(i=i, f=f, s=s, b=b, at=at, after=after)
    point, setting = read_point(p=half.make_point(n=n)), read_setting(s=half.make_setting(n=n))
    file, folder = read_file(f=half.make_file(n=n)), read_folder(d=half.make_folder(n=n))
    return primitives, point, setting, file, folder, read_frame(t=half.make_frame(n=n))


@workflow
def theirs_to_ours(n: int = 3) -> tuple[str, str, str, str, str, str]:
    i, f, s, b, at, after = make_primitives(n=n)
    primitives = half.read_primitives(i=i, f=f, s=s, b=b, at=at, after=after)
    point, setting = half.read_point(p=make_point(n=n)), half.read_setting(s=make_setting(n=n))
    file, folder = half.read_file(f=make_file(n=n)), half.read_folder(d=make_folder(n=n))
    return primitives, point, setting, file, folder, half.read_frame(t=make_frame(n=n))
