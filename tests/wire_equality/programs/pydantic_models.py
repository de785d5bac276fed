from typing import List, Optional

from pydantic import BaseModel

from flyte_kit import task, workflow


class Inner(BaseModel):
    a: int = 3


class Setting(BaseModel):
    rate: float
    inner: Inner = Inner()
    names: List[str] = []
    maybe: Optional[int] = None


@task
def use(s: Setting) -> Inner:
    return s.inner


@workflow
def wf(s: Setting = Setting(rate=0.5)) -> Inner:
    return use(s=s)
