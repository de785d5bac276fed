"""When schedules start executions: each time once, none early, none lost within the bound, none held up by others."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionCreateResponse, ExecutionMetadata
from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.admin.schedule_pb2 import CronSchedule, FixedRate, FixedRateUnit, Schedule
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from sqlalchemy import select, update

from flyte_admin.db.schema import launch_plans, schedulable_entities
from flyte_admin.executions.submission import LimitReached
from flyte_admin.registry.admission import InactiveProjectRefused
from flyte_admin.scheduler.kickoff import execution_name
from flyte_admin.scheduler.scheduler import AT_ONCE, MOST_ATTEMPTS
from flyte_core.errors import InvalidInput, Unavailable
from flyte_core.timetables import between, timetable


def cron(text: str, kickoff: str = "") -> Schedule:
    return Schedule(cron_schedule=CronSchedule(schedule=text), kickoff_time_input_arg=kickoff)


def rate(minutes: int, kickoff: str = "") -> Schedule:
    return Schedule(rate=FixedRate(value=minutes, unit=FixedRateUnit.MINUTE), kickoff_time_input_arg=kickoff)


async def error_of(schedules: Any, name: str) -> str:
    query = select(schedulable_entities.c.error).where(schedulable_entities.c.name == name)
    return str(await schedules.database.read(lambda connection: connection.execute(query).scalar_one()))


async def test_an_execution_is_started_at_each_time_and_told_it(schedules: Any) -> None:
    await schedules.register("nightly", cron("*/2 * * * *", "at"))
    await schedules.run(schedules.scheduler(), minutes=5)
    assert schedules.acceptance.times("nightly") == ["01T12:02:00", "01T12:04:00"]
    request = next(iter(schedules.acceptance.accepted.values()))
    metadata = request.spec.metadata
    moment = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)
    assert metadata.mode == ExecutionMetadata.SCHEDULED
    assert metadata.scheduled_at.ToDatetime(tzinfo=UTC) == moment
    assert request.inputs.literals["at"].scalar.primitive.datetime.ToDatetime(tzinfo=UTC) == moment
    assert (request.spec.launch_plan.name, request.spec.launch_plan.version) == ("nightly", "v1")
    assert request.spec.launch_plan.resource_type == ResourceType.LAUNCH_PLAN


async def test_a_fixed_rate_counts_from_the_activation_and_may_be_told_the_time(schedules: Any) -> None:
    await schedules.register("steady", rate(10, "at"), active=False)
    schedules.pass_time(95)
    await schedules.set("steady")
    await schedules.run(schedules.scheduler(), minutes=25)
    assert schedules.acceptance.times("steady") == ["01T12:11:55", "01T12:21:55"]
    assert all("at" in request.inputs.literals for request in schedules.acceptance.accepted.values())


def test_names_are_those_that_upstream_gives() -> None:
    plan = Identifier(project="flytesnacks", domain="development", name="wf", version="v1")
    moment = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)
    name = execution_name(plan, moment)
    digest = 14695981039346656037
    for byte in b"flytesnacks:development:wf:v1:1772366520":
        digest = (digest * 1099511628211) % 2**64 ^ byte
    assert bytes.fromhex(name[1:17]) == digest.to_bytes(8, "little")
    assert (len(name), name[0], name[17:]) == (20, "f", "000")
    assert execution_name(plan, moment + timedelta(seconds=1)) != name


async def test_times_missed_while_nothing_ran_are_made_up_for_oldest_first(schedules_anywhere: Any) -> None:
    await schedules_anywhere.register("minutely", cron("* * * * *"))
    await schedules_anywhere.run(schedules_anywhere.scheduler(), minutes=2)
    schedules_anywhere.pass_time(5 * 60)
    await schedules_anywhere.run(schedules_anywhere.scheduler(), seconds=1)
    assert schedules_anywhere.acceptance.times("minutely") == [f"01T12:{minute:02}:00" for minute in range(1, 8)]


async def test_more_missed_times_than_the_bound_are_skipped_and_that_is_said(
    schedules: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await schedules.register("minutely", cron("* * * * *"))
    schedules.pass_time(24 * 3600)
    with caplog.at_level(logging.WARNING, "flyte_admin.scheduler"):
        await schedules.run(schedules.scheduler(catch_up=10), seconds=1)
    assert schedules.acceptance.times("minutely") == [
        "02T11:51:00",
        *(f"02T11:{minute}:00" for minute in range(52, 60)),
        "02T12:00:00",
    ]
    assert sum("the older ones are skipped" in record.message for record in caplog.records) == 1


async def test_nothing_starts_before_an_activation_or_after_a_deactivation(schedules_anywhere: Any) -> None:
    await schedules_anywhere.register("minutely", cron("* * * * *"))
    scheduler = schedules_anywhere.scheduler()
    await schedules_anywhere.run(scheduler, minutes=1)
    await schedules_anywhere.set("minutely", active=False)
    await schedules_anywhere.run(scheduler, minutes=10)
    await schedules_anywhere.set("minutely")
    await schedules_anywhere.run(scheduler, minutes=1)
    assert schedules_anywhere.acceptance.times("minutely") == ["01T12:01:00", "01T12:12:00"]


async def test_a_deactivation_holds_for_what_is_due_and_not_started_yet(schedules: Any) -> None:
    names = [f"plan{number}" for number in range(AT_ONCE + 1)]
    for name in names:
        await schedules.register(name, cron("* * * * *"))

    async def deactivate_the_last_first(request: ExecutionCreateRequest) -> ExecutionCreateResponse:
        await schedules.set(names[-1], active=False)
        return await accept(request)

    accept, schedules.acceptance.create = schedules.acceptance.create, deactivate_the_last_first
    schedules.pass_time(60)
    await schedules.scheduler().turn()
    assert {name for name, _ in schedules.acceptance.order} == set(names[:-1])


async def test_of_two_versions_the_active_one_starts_executions(schedules: Any) -> None:
    scheduler = schedules.scheduler()
    await schedules.register("plan", cron("* * * * *"))
    await schedules.run(scheduler, minutes=1)
    await schedules.register("plan", cron("30 * * * *"), "v2")
    await schedules.run(scheduler, minutes=40)
    assert schedules.acceptance.times("plan") == ["01T12:01:00", "01T12:30:00"]


async def test_a_launch_plan_that_fails_is_tried_again_with_growing_pauses_and_holds_up_nobody(
    schedules_anywhere: Any,
) -> None:
    attempts: list[datetime] = []

    def refuse(request: ExecutionCreateRequest) -> None:
        if request.spec.launch_plan.name == "ill":
            attempts.append(schedules_anywhere.clock.now())
            if len(attempts) <= 5:
                raise Unavailable("the store does not answer")

    schedules_anywhere.acceptance.refuse = refuse
    await schedules_anywhere.register("ill", cron("0 * * * *"))
    await schedules_anywhere.register("well", cron("* * * * *"))
    schedules_anywhere.pass_time(3600)
    await schedules_anywhere.run(schedules_anywhere.scheduler(catch_up=2), minutes=1)
    pauses = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(attempts)]
    assert pauses == [0.25, 0.5, 1, 2, 4]
    assert schedules_anywhere.acceptance.times("ill") == ["01T13:00:00"]
    assert schedules_anywhere.acceptance.times("well") == ["01T12:59:00", "01T13:00:00", "01T13:01:00"]
    assert await error_of(schedules_anywhere, "ill") == ""


async def test_a_time_is_given_up_after_many_attempts_and_the_next_one_is_tried(schedules_anywhere: Any) -> None:
    attempts = 0

    def refuse(request: ExecutionCreateRequest) -> None:
        nonlocal attempts
        if request.spec.metadata.scheduled_at.ToDatetime(tzinfo=UTC).hour == 13:
            attempts += 1
            raise Unavailable("the store does not answer")

    schedules_anywhere.acceptance.refuse = refuse
    await schedules_anywhere.register("plan", cron("0 * * * *"))
    await schedules_anywhere.run(schedules_anywhere.scheduler(), minutes=110)
    assert attempts == MOST_ATTEMPTS
    assert await error_of(schedules_anywhere, "plan") == "the store does not answer"
    await schedules_anywhere.run(schedules_anywhere.scheduler(), minutes=15)
    assert schedules_anywhere.acceptance.times("plan") == ["01T14:00:00"]


async def test_what_cannot_succeed_is_not_repeated_for_the_same_time(schedules: Any) -> None:
    def refuse(_request: ExecutionCreateRequest) -> None:
        raise InvalidInput("the inputs do not fit")

    schedules.acceptance.refuse = refuse
    await schedules.register("plan", cron("* * * * *"))
    await schedules.run(schedules.scheduler(), minutes=3)
    assert schedules.acceptance.calls == 3
    assert await error_of(schedules, "plan") == "the inputs do not fit"


@pytest.mark.parametrize(
    "refusal",
    [LimitReached("concurrency limit (1) reached"), InactiveProjectRefused("flytesnacks")],
    ids=lambda e: type(e).__name__,
)
async def test_a_time_is_skipped_while_the_limit_is_reached_or_the_project_archived(
    schedules: Any, refusal: Exception
) -> None:
    refusals = [refusal, refusal]

    def refuse(_request: ExecutionCreateRequest) -> None:
        if refusals:
            raise refusals.pop()

    schedules.acceptance.refuse = refuse
    await schedules.register("plan", cron("* * * * *"))
    await schedules.run(schedules.scheduler(), minutes=2)
    assert await error_of(schedules, "plan") == "", "a skipped time is no failure"
    await schedules.run(schedules.scheduler(), minutes=2)
    assert schedules.acceptance.calls == 4
    assert schedules.acceptance.times("plan") == ["01T12:03:00", "01T12:04:00"]


async def test_a_schedule_that_cannot_be_read_stops_no_other(schedules: Any) -> None:
    await schedules.register("broken", cron("* * * * *"))
    await schedules.register("whole", cron("* * * * *"))
    spec = LaunchPlanSpec()
    spec.entity_metadata.schedule.CopyFrom(cron("what is this"))
    broken = update(launch_plans).where(launch_plans.c.name == "broken").values(spec=spec.SerializeToString())
    await schedules.database.write(lambda connection: connection.execute(broken) and None)
    await schedules.run(schedules.scheduler(), minutes=2)
    assert {plan for plan, _ in schedules.acceptance.order} == {"whole"}


async def test_a_crash_after_the_execution_was_accepted_starts_no_second_one(schedules: Any) -> None:
    await schedules.register("plan", cron("* * * * *"))
    schedules.acceptance.lose_next = 1
    schedules.pass_time(60)
    with pytest.raises(asyncio.CancelledError):
        await schedules.scheduler().turn()
    await schedules.run(schedules.scheduler(), minutes=1)
    assert schedules.acceptance.times("plan") == ["01T12:01:00", "01T12:02:00"]
    assert schedules.acceptance.calls == 3


SCHEDULES = (
    [cron(f"{minute} * * * *") for minute in range(0, 60, 9)]
    + [
        cron(text)
        for text in ("*/7 * * * *", "0,30 12-20 * * *", "TZ=Asia/Kolkata 15 */2 * * *", "@hourly", "@every 41m")
    ]
    + [rate(minutes) for minutes in (1, 13, 59, 60, 61)]
)


@pytest.mark.parametrize("seed", range(3))
async def test_two_schedulers_that_restart_at_any_time_start_each_execution_once(schedules: Any, seed: int) -> None:
    chance = random.Random(seed)
    begin = schedules.clock.now()
    for index, schedule in enumerate(SCHEDULES):
        await schedules.register(f"plan{index}", schedule)
    period = timedelta(hours=8)
    schedulers = [schedules.scheduler(catch_up=500), schedules.scheduler(catch_up=500)]
    while (left := begin + period - schedules.clock.now()) > timedelta():
        for index in range(len(schedulers)):
            if chance.random() < 0.3:
                schedulers[index] = schedules.scheduler(catch_up=500)
        working = chance.choice([schedulers, schedulers[:1], schedulers[1:], []])
        step = min(left, timedelta(minutes=chance.uniform(0.1, 9)))
        for scheduler in working:
            await scheduler.turn()
        schedules.pass_time(step.total_seconds())
    for scheduler in schedulers:
        await schedules.run(scheduler, seconds=0)
    expected = {
        (f"plan{index}", moment)
        for index, schedule in enumerate(SCHEDULES)
        for moment in between(timetable(schedule, begin), begin, begin + period)
    }
    assert len(schedules.acceptance.order) == len(expected)
    assert set(schedules.acceptance.order) == expected
