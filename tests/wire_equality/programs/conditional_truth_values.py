from typing import Optional

from flyte_kit import conditional, task, workflow


@task
def flip() -> bool:
    return True


@task
def yes() -> str:
    return "yes"


@task
def no() -> str:
    return "no"


@workflow
def wf(flag: bool = False, maybe: Optional[int] = None) -> (str, str, str):
    coin = flip()
    a = conditional("a").if_(coin.is_true()).then(yes()).else_().then(no())
    b = conditional("b").if_(flag.is_false()).then(yes()).else_().then(no())
    c = conditional("c").if_(maybe.is_none()).then(yes()).else_().then(no())
    return a, b, c
