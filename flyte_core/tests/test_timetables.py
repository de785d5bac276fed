"""Schedules: every time that a plain reading minute by minute finds, and none besides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flyteidl.admin.schedule_pb2 import CronSchedule, FixedRate, FixedRateUnit, Schedule
from hypothesis import given
from hypothesis import strategies as st

from flyte_core.cron import parse_cron
from flyte_core.errors import InvalidInput
from flyte_core.timetables import Timetable, between, newest, timetable

START = datetime(2026, 3, 1, tzinfo=UTC)


def cron(text: str, offset: str = "", *, start: datetime = START) -> Timetable:
    found = timetable(Schedule(cron_schedule=CronSchedule(schedule=text, offset=offset)), start)
    assert found is not None
    return found


def times(text: str, start: str, until: str) -> list[str]:
    found = between(cron(text), _utc(start), _utc(until))
    return [f"{moment:%Y-%m-%dT%H:%M}" for moment in found]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_time_itself_is_not_after_it() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert cron("0 12 * * *").after(noon) == noon + timedelta(days=1)
    assert cron("0 12 * * *").after(noon - timedelta(microseconds=1)) == noon


def test_29_february_comes_every_fourth_year_and_is_found_over_the_end_of_a_century() -> None:
    assert times("0 0 29 2 *", "2026-01-01", "2033-01-01") == ["2028-02-29T00:00", "2032-02-29T00:00"]
    after = cron("0 0 29 2 *").after(datetime(2096, 3, 1, tzinfo=UTC))
    assert after == datetime(2104, 2, 29, tzinfo=UTC)


def test_a_date_that_does_not_exist_never_comes() -> None:
    assert cron("0 0 31 2,4 *").after(START) is None


def test_two_restricted_days_need_not_both_fit_but_an_open_one_does_not_count() -> None:
    both = times("0 0 13 * 5", "2026-02-28", "2026-03-21")
    assert both == [f"2026-03-{day:02}T00:00" for day in (6, 13, 20)]
    assert times("0 0 15 * 5", "2026-03-01", "2026-03-21") == [f"2026-03-{day:02}T00:00" for day in (6, 13, 15, 20)]
    assert times("0 0 */10 * 5", "2026-03-01", "2026-03-14") == [f"2026-03-{day:02}T00:00" for day in (6, 11, 13)]
    assert times("0 0 ? * 5", "2026-03-01", "2026-03-14") == ["2026-03-06T00:00", "2026-03-13T00:00"]


def test_a_step_after_one_number_runs_to_the_end_of_the_field() -> None:
    assert [moment[-2:] for moment in times("40/7 3 * * *", "2026-03-01", "2026-03-02")] == ["40", "47", "54"]


@pytest.mark.parametrize(
    ("alias", "fields"),
    [
        ("@hourly", "0 * * * *"),
        ("days", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("monthly", "0 0 1 * *"),
        ("@ANNUALLY", "0 0 1 1 *"),
    ],
)
def test_an_alias_is_its_five_fields(alias: str, fields: str) -> None:
    assert parse_cron(alias) == parse_cron(fields)


def test_a_time_of_day_that_the_clocks_skip_does_not_come_and_one_they_repeat_comes_twice() -> None:
    berlin = "TZ=Europe/Berlin 30 2 * * *"
    assert times(berlin, "2026-03-28", "2026-03-31") == ["2026-03-28T01:30", "2026-03-30T00:30"]
    assert times(berlin, "2026-10-24T12:00", "2026-10-26") == ["2026-10-25T00:30", "2026-10-25T01:30"]


def test_an_offset_moves_each_time_and_may_go_back() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert cron("0 12 * * *", "PT90M").after(noon) == noon + timedelta(minutes=90)
    assert cron("0 12 * * *", "-P1DT5M").after(noon) == noon + timedelta(days=1, minutes=-5)


def test_the_fields_of_amazon_count_days_from_sunday_as_one_and_end_in_a_year() -> None:
    schedule = Schedule(cron_expression="cron(0 10 ? * MON-FRI 2027)")
    found = timetable(schedule, START)
    assert found is not None
    assert found.after(START) == datetime(2027, 1, 1, 10, tzinfo=UTC)  # a Friday
    assert found.after(datetime(2027, 12, 31, 10, tzinfo=UTC)) is None
    numbers = timetable(Schedule(cron_expression="0 10 ? * 2-6 2027"), START)
    assert numbers == found


def test_a_fixed_rate_counts_from_its_start_and_never_comes_early() -> None:
    start = datetime(2026, 3, 1, 12, 0, 7, 300_000, tzinfo=UTC)
    found = timetable(Schedule(rate=FixedRate(value=2, unit=FixedRateUnit.HOUR)), start)
    assert found is not None
    assert found.after(start) == datetime(2026, 3, 1, 14, 0, 8, tzinfo=UTC)
    assert found.after(start + timedelta(days=1)) == datetime(2026, 3, 2, 12, 0, 8, tzinfo=UTC)
    assert found.after(start - timedelta(days=1)) == datetime(2026, 3, 1, 14, 0, 8, tzinfo=UTC)


def test_every_and_a_duration_is_a_fixed_rate() -> None:
    assert cron("@every 1m30s").after(START) == START + timedelta(seconds=90)
    assert cron("@every 5ms").after(START) == START + timedelta(seconds=1)


BAD_SCHEDULES = {
    "four fields": (Schedule(cron_schedule=CronSchedule(schedule="* * * *")), "4 fields instead of 5"),
    "minute": (Schedule(cron_schedule=CronSchedule(schedule="60 * * * *")), "minute '60'"),
    "seven": (Schedule(cron_schedule=CronSchedule(schedule="0 0 * * 7")), "day of week '7'"),
    "step": (Schedule(cron_schedule=CronSchedule(schedule="*/0 * * * *")), "minute '\\*/0'"),
    "open range": (Schedule(cron_schedule=CronSchedule(schedule="*-5 * * * *")), "minute"),
    "backwards": (Schedule(cron_schedule=CronSchedule(schedule="5-1 * * * *")), "minute"),
    "zone": (Schedule(cron_schedule=CronSchedule(schedule="TZ=Mars/Base 0 0 * * *")), "no time zone 'Mars/Base'"),
    "zone outside": (Schedule(cron_schedule=CronSchedule(schedule="TZ=../../etc/passwd 0 0 * * *")), "no time zone"),
    "every": (Schedule(cron_schedule=CronSchedule(schedule="@every 0s")), "must be positive"),
    "long": (Schedule(cron_schedule=CronSchedule(schedule=",".join(["1"] * 200) + " * * * *")), "255 characters"),
    "offset": (Schedule(cron_schedule=CronSchedule(schedule="@daily", offset="P1M")), "no ISO 8601 duration"),
    "offset length": (Schedule(cron_schedule=CronSchedule(schedule="@daily", offset="P9999999999D")), "too long"),
    "last day": (Schedule(cron_expression="0 0 L * ? *"), "day of month 'l'"),
    "rate": (Schedule(rate=FixedRate(value=0)), "must be positive"),
    "rate length": (Schedule(rate=FixedRate(value=4_000_000_000, unit=FixedRateUnit.DAY)), "at most 365000 days"),
    "unit": (Schedule(rate=FixedRate(value=1, unit=7)), "rate.unit"),
}


@pytest.mark.parametrize(("schedule", "said"), BAD_SCHEDULES.values(), ids=BAD_SCHEDULES)
def test_what_is_no_schedule_is_refused_naming_the_part(schedule: Schedule, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        timetable(schedule, START)


@st.composite
def field_texts(draw: st.DrawFn, low: int, high: int) -> tuple[str, frozenset[int], bool]:
    """A field, the numbers that it stands for, and whether it leaves its part open."""
    numbers: set[int] = set()
    open_part = False
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        step = draw(st.sampled_from([0, 1, 2, 5, 13]))
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        kind = draw(st.sampled_from(["*", "one", "range"]))
        text, span = {
            "*": ("*", range(low, high + 1)),
            "one": (str(first), range(first, high + 1 if step else first + 1)),
            "range": (f"{first}-{last}", range(first, last + 1)),
        }[kind]
        open_part |= kind == "*" and step <= 1
        numbers |= set(span[:: step or 1])
        parts.append(f"{text}/{step}" if step else text)
    return ",".join(parts), frozenset(numbers), open_part


@given(
    minutes=field_texts(0, 59),
    hours=field_texts(0, 23),
    days=field_texts(1, 31),
    months=field_texts(1, 12),
    weekdays=field_texts(0, 6),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"]),
    start=st.timedeltas(timedelta(), timedelta(days=365)).map(lambda passed: datetime(2026, 1, 1, tzinfo=UTC) + passed),
)
def test_the_times_are_those_that_reading_minute_by_minute_finds(
    minutes: tuple[str, frozenset[int], bool],
    hours: tuple[str, frozenset[int], bool],
    days: tuple[str, frozenset[int], bool],
    months: tuple[str, frozenset[int], bool],
    weekdays: tuple[str, frozenset[int], bool],
    zone: str,
    start: datetime,
) -> None:
    fields = (minutes, hours, days, months, weekdays)
    text = " ".join(field for field, _, _ in fields)
    until = start + timedelta(days=2)
    clock = ZoneInfo(zone)

    def fits(moment: datetime) -> bool:
        local = moment.astimezone(clock)
        by_month, by_week = local.day in days[1], local.isoweekday() % 7 in weekdays[1]
        day = (by_month and by_week) if days[2] or weekdays[2] else (by_month or by_week)
        return day and local.minute in minutes[1] and local.hour in hours[1] and local.month in months[1]

    first = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    each_minute = (first + timedelta(minutes=number) for number in range(2 * 24 * 60 + 1))
    expected = [moment for moment in each_minute if moment <= until and fits(moment)]
    found = cron(f"TZ={zone} {text}")
    assert list(between(found, start, until)) == expected
    assert newest(found, start, until, most=7) == expected[-7:]


def test_the_newest_times_are_found_at_once_however_long_ago_the_first_is() -> None:
    until = datetime(2026, 3, 1, tzinfo=UTC)
    found = newest(cron("* * * * *"), datetime(1990, 1, 1, tzinfo=UTC), until, most=3)
    assert found == [until - timedelta(minutes=2), until - timedelta(minutes=1), until]
