"""Small workflows of the interop tests, one a behaviour. The folder in MARKS collects a line per run of a task."""

import os
import time
from datetime import timedelta
from typing import List

from flytekit import conditional, current_context, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException


@task
def double(x: int) -> int:
    print(f"doubling {x}")
    return x * 2


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@workflow
def hello(x: int = 3) -> int:
    return add(a=double(x=x), b=5)


@task
def broken(x: int) -> int:
    if x >= 0:
        raise ValueError(f"no good: {x}")
    return x


@workflow
def user_error(x: int = 6) -> int:
    return double(x=broken(x=x))


@task(retries=3)
def flaky(x: int) -> int:
    attempt = int(os.environ["FLYTE_ATTEMPT_NUMBER"])
    if attempt < 2:
        raise FlyteRecoverableException(f"attempt {attempt} gives up")
    return x + attempt


@workflow
def recoverable(x: int = 1) -> int:
    return flaky(x=x)


@task(timeout=timedelta(seconds=3))
def sleepy(seconds: int) -> int:
    time.sleep(seconds)
    return seconds


@workflow
def too_slow(seconds: int = 60) -> int:
    return sleepy(seconds=seconds)


@task
def patient(seconds: int) -> int:
    print("waiting", flush=True)
    time.sleep(seconds)
    return seconds


@workflow
def endless(seconds: int = 600) -> int:
    return patient(seconds=seconds)


@task
def clean_up(x: int) -> None:
    print(f"cleaning up after {x}")


@workflow(on_failure=clean_up)
def with_handler(x: int = 6) -> int:
    return double(x=broken(x=x))


@workflow
def inner(x: int) -> int:
    return add(a=double(x=x))


@workflow
def outer(x: int = 2) -> int:
    return double(x=inner(x=x))


@task
def where() -> List[str]:
    return [os.getcwd(), os.path.dirname(os.path.abspath(__file__))]


@workflow
def location() -> List[str]:
    return where()


@task
def who() -> str:
    return current_context().execution_id.name


@workflow
def identity() -> str:
    return who()


@workflow
def choose(x: int = 7) -> int:
    return (
        conditional("size")
        .if_((x > 1) & (x <= 5))
        .then(double(x=x))
        .elif_(x > 5)
        .then(inner(x=x))
        .else_()
        .fail("x is too small")
    )
