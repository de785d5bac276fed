"""Launch plans as nodes, gates, and failure handlers of sub-workflows, as a user of flytekit writes them."""

import os
import time
from datetime import timedelta

from flytekit import LaunchPlan, approve, conditional, sleep, task, wait_for_input, workflow


@task
def double(x: int) -> int:
    return x * 2


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def boom(x: int) -> int:
    if x >= 0:
        raise ValueError(f"boom {x}")
    return x


@task
def mark(folder: str, name: str, seconds: int) -> str:
    with open(os.path.join(folder, name), "a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    return name


@task
def tidy(folder: str, x: int) -> None:
    with open(os.path.join(folder, "tidied"), "a") as file:
        file.write(f"{x}\n")


@workflow
def child(x: int, y: int = 1) -> int:
    return add(a=double(x=x), b=y)


@workflow
def bad_child(x: int) -> int:
    return boom(x=x)


@workflow
def slow_child(folder: str, name: str, seconds: int) -> str:
    return mark(folder=folder, name=name, seconds=seconds)


plain = LaunchPlan.get_or_create(child, name="waiting.plain")
fixed = LaunchPlan.get_or_create(child, name="waiting.fixed", default_inputs={"x": 10}, fixed_inputs={"y": 5})
bad = LaunchPlan.get_or_create(bad_child, name="waiting.bad")
slow = LaunchPlan.get_or_create(slow_child, name="waiting.slow")


@workflow
def parent(x: int) -> int:
    return add(a=plain(x=x, y=3), b=fixed())


@workflow
def grandparent(x: int) -> int:
    return LaunchPlan.get_or_create(parent, name="waiting.parent_plan")(x=x)


@workflow
def bad_parent(x: int) -> int:
    return bad(x=x)


@workflow
def slow_parent(folder: str, seconds: int) -> str:
    return slow(folder=folder, name="slow", seconds=seconds)


@workflow
def asks(x: int) -> int:
    pause = sleep(timedelta(seconds=1))
    number = wait_for_input("number", timeout=timedelta(minutes=5), expected_type=int)
    total = add(a=x, b=number)
    agreed = approve(total, "agree", timeout=timedelta(minutes=5))
    pause >> number
    return double(x=agreed)


@workflow
def impatient() -> int:
    return wait_for_input("never", timeout=timedelta(seconds=2), expected_type=int)


@workflow
def chooses(x: int) -> int:
    return conditional("size").if_(x > 5).then(plain(x=x, y=0)).else_().then(double(x=x))


@workflow(on_failure=tidy)
def guarded(folder: str, x: int) -> int:
    return boom(x=x)


@workflow
def around(folder: str, x: int) -> int:
    return double(x=guarded(folder=folder, x=x))
