from datetime import datetime, timedelta
from typing import Dict, List, Optional

from flyte_kit import task, workflow


@task
def show(
    a: int,
    b: float,
    c: str,
    d: bool,
    e: List[int],
    f: Dict[str, str],
    g: Optional[int],
    h: datetime,
    i: timedelta,
) -> str:
    return ""


@workflow
def wf(
    a: int = 1,
    b: float = 1.5,
    c: str = "c",
    d: bool = True,
    e: List[int] = [1, 2],
    f: Dict[str, str] = {"k": "v"},
    g: Optional[int] = None,
    h: datetime = datetime(2024, 1, 1),
    i: timedelta = timedelta(hours=1),
) -> str:
    return show(a=a, b=b, c=c, d=d, e=e, f=f, g=g, h=h, i=i)
