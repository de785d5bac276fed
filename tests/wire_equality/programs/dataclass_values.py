from dataclasses import dataclass, field
from typing import Dict, List, Optional

from flyte_kit import task, workflow


@dataclass
class Inner:
    a: int
    b: List[str] = field(default_factory=list)


@dataclass
class Outer:
    inner: Inner
    by_name: Dict[str, Inner]
    maybe: Optional[float] = None


@task
def make(n: int) -> Outer:
    return Outer(Inner(n), {})


@task
def use(n: int, names: List[str], maybe: Optional[float]) -> int:
    return n


@workflow
def wf(o: Outer, n: int) -> int:
    made = make(n=n)
    first = use(n=made.inner.a, names=made.inner.b, maybe=o.maybe)
    return use(n=o.by_name["k"].a, names=made.by_name["x"].b, maybe=None)


@workflow
def with_default(o: Outer = Outer(Inner(1, ["x"]), {"k": Inner(2)}, 0.5)) -> Outer:
    return o
