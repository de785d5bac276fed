"""What a user would write: launch plans that start by themselves, caches, artifacts."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated

from flyte_kit import (
    Artifact,
    Cache,
    ConcurrencyLimitBehavior,
    ConcurrencyPolicy,
    CronSchedule,
    Email,
    FixedRate,
    HashMethod,
    LaunchPlan,
    Slack,
    WorkflowExecutionPhase,
    task,
    workflow,
)

Simple = Artifact(name="rows-simple")


@task
def made(at: datetime) -> Annotated[datetime, Simple]:
    return at


@workflow
def at_a_time(at: datetime) -> datetime:
    return made(at=at)


every_minute = LaunchPlan.get_or_create(
    at_a_time,
    "rows.every_minute",
    schedule=FixedRate(timedelta(minutes=1), kickoff_time_input_arg="at"),
    auto_activate=True,
)
every_day = LaunchPlan.get_or_create(
    at_a_time, "rows.every_day", schedule=CronSchedule(schedule="30 4 * * *", kickoff_time_input_arg="at")
)
active_by_itself = LaunchPlan.get_or_create(at_a_time, "rows.active_by_itself", auto_activate=True)


@task
async def lasts(at: datetime, seconds: float) -> datetime:
    await asyncio.sleep(seconds)
    return at


@workflow
def long(at: datetime, seconds: float = 1.0) -> datetime:
    return lasts(at=at, seconds=seconds)


one_at_a_time = LaunchPlan.get_or_create(
    long,
    "rows.one_at_a_time",
    schedule=FixedRate(timedelta(minutes=1), kickoff_time_input_arg="at"),
    concurrency=ConcurrencyPolicy(max_concurrency=1, behavior=ConcurrencyLimitBehavior.SKIP),
)
told = LaunchPlan.get_or_create(
    at_a_time,
    "rows.told",
    notifications=[
        Email(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["a@example.com"]),
        Slack(phases=[WorkflowExecutionPhase.SUCCEEDED, WorkflowExecutionPhase.ABORTED], recipients_email=["b@e.com"]),
    ],
)


def _write(path: str) -> int:
    with open(path, "a") as file:
        file.write("x")
    with open(path) as file:
        return len(file.read())


@task
def fails(at: datetime) -> datetime:
    raise ValueError("the boiler is cold")


@workflow
def failing(at: datetime) -> datetime:
    return fails(at=at)


told_of_failure = LaunchPlan.get_or_create(
    failing,
    "rows.told_of_failure",
    notifications=[Email(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["boiler@example.com"])],
)


@task(cache=True, cache_version="1")
def cached(path: str) -> int:
    return _write(path)


@task(cache=Cache(version="1", serialize=True))
def cached_one_by_one(path: str) -> int:
    import time

    time.sleep(0.5)
    return _write(path)


class Thing:
    def __init__(self, n: int) -> None:
        self.n = n


@task
def a_thing(n: int) -> Annotated[Thing, HashMethod(lambda thing: str(thing.n))]:
    return Thing(n)


@task(cache=True, cache_version="1")
def of_a_thing(thing: Thing, path: str) -> int:
    return _write(path)


@workflow
def of_equal_things(n: int, path: str) -> int:
    return of_a_thing(thing=a_thing(n=n), path=path)
