"""The times of a launch plan's schedule, whichever way it is written."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from flyteidl.admin.schedule_pb2 import FixedRate, FixedRateUnit, Schedule

from flyte_core.cron import bad_cron, parse_aws_cron, parse_cron
from flyte_core.errors import InvalidInput

LONGEST_RATE = timedelta(days=365_000)
_SECOND = timedelta(seconds=1)
_UNITS: dict[int, timedelta] = {
    FixedRateUnit.MINUTE: timedelta(minutes=1),
    FixedRateUnit.HOUR: timedelta(hours=1),
    FixedRateUnit.DAY: timedelta(days=1),
}
_EVERY = re.compile(r"@every ((?:\d+(?:\.\d+)?(?:h|m|s|ms))+)")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ISO_DURATION = re.compile(
    r"(?P<sign>[-+]?)P(?=[\dT])(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_AWS_FIELDS = 6


class Timetable(Protocol):
    """Times in order, without end or until there are no more."""

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time later than ``moment``, in UTC; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class EqualTimes:
    """Times at equal distances, the first of them one step after the start.

    They lie on whole seconds: a start between two counts as the later one, so that no time comes early.
    """

    start: datetime
    step: timedelta

    def after(self, moment: datetime) -> datetime:
        """Return the first time later than ``moment``."""
        start = self.start.replace(microsecond=0)
        if start < self.start:
            start += _SECOND
        return start + max((moment - start) // self.step + 1, 1) * self.step


@dataclass(frozen=True, slots=True)
class Shifted:
    """Times of another timetable, each moved."""

    timetable: Timetable
    offset: timedelta

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time later than ``moment``."""
        found = self.timetable.after(moment - self.offset)
        return found + self.offset if found is not None else None


def timetable(schedule: Schedule, start: datetime) -> Timetable | None:
    """Return the times of a schedule; None if the message is none.

    :param start: from which fixed rates count, aware
    :raises InvalidInput: if the schedule cannot be read; the field is that within the message
    """
    match schedule.WhichOneof("ScheduleExpression"):
        case "rate":
            return EqualTimes(start, _rate(schedule.rate))
        case "cron_schedule":
            times = _cron(schedule.cron_schedule.schedule, start)
            offset = _offset(schedule.cron_schedule.offset)
            return Shifted(times, offset) if offset else times
        case "cron_expression":
            text = schedule.cron_expression
            bare = text.strip().removeprefix("cron(")
            return parse_aws_cron(text) if len(bare.split()) == _AWS_FIELDS else _cron(text, start)
        case _:
            return None


def between(times: Timetable, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the times later than ``after`` and not later than ``until``."""
    moment = times.after(after)
    while moment is not None and moment <= until:
        yield moment
        moment = times.after(moment)


def newest(times: Timetable, after: datetime, until: datetime, *, most: int) -> list[datetime]:
    """Return the last ``most`` of the times between, in order. What lies before them is not walked through: the time
    that this takes does not grow with the distance.
    """
    span = timedelta(minutes=most)
    while True:
        start = max(after, until - span)
        found = deque(between(times, start, until), maxlen=most)
        if start == after or len(found) == most:
            return list(found)
        span *= 2


def _rate(rate: FixedRate) -> timedelta:
    if rate.unit not in _UNITS:
        raise InvalidInput(f"invalid value for rate.unit: {rate.unit}", field="rate.unit")
    if not 0 < rate.value <= LONGEST_RATE / _UNITS[rate.unit]:
        raise InvalidInput(
            f"invalid value for rate.value: {rate.value} must be positive, and the rate at most {LONGEST_RATE.days} "
            "days",
            field="rate.value",
        )
    step: timedelta = _UNITS[rate.unit] * rate.value
    return step


def _cron(text: str, start: datetime) -> Timetable:
    every = _EVERY.fullmatch(text.strip().lower())
    if every is None:
        return parse_cron(text)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _AMOUNT.findall(every[1]))
    if not 0 < seconds <= LONGEST_RATE.total_seconds():
        raise bad_cron(text, "the distance must be positive, and not longer than a thousand years")
    return EqualTimes(start, timedelta(seconds=max(int(seconds), 1)))


def _offset(text: str) -> timedelta:
    if not text:
        return timedelta()
    match = _ISO_DURATION.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"invalid value for cron_schedule.offset: {text[:64]!r} is no ISO 8601 duration of weeks, days, hours, "
            "minutes and seconds (PT90M)",
            field="cron_schedule.offset",
        )
    parts = {name: int(value) for name, value in match.groupdict().items() if name != "sign" and value}
    try:
        offset = timedelta(**parts)
    except OverflowError:
        offset = timedelta.max
    if offset > LONGEST_RATE:
        raise InvalidInput(
            f"invalid value for cron_schedule.offset: {text[:64]!r} is too long", field="cron_schedule.offset"
        )
    return -offset if match["sign"] == "-" else offset
