"""When a launch plan starts by itself."""

from __future__ import annotations

import datetime
import re
from typing import Any, Protocol

from flyteidl.admin.schedule_pb2 import CronSchedule as CronScheduleMessage
from flyteidl.admin.schedule_pb2 import FixedRate as FixedRateMessage
from flyteidl.admin.schedule_pb2 import FixedRateUnit
from flyteidl.admin.schedule_pb2 import Schedule as ScheduleMessage

_ALIASES = {"hourly", "hours", "@hourly", "daily", "days", "@daily", "weekly", "weeks", "@weekly", "monthly", "months"}
_ALIASES |= {"@monthly", "annually", "@annually", "yearly", "years", "@yearly"}
_OFFSET = re.compile(r"([-+]?)P([-+0-9YMWD]+)?(T([-+0-9HMS.,]+)?)?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_UNITS = (
    (FixedRateUnit.DAY, datetime.timedelta(days=1)),
    (FixedRateUnit.HOUR, datetime.timedelta(hours=1)),
    (FixedRateUnit.MINUTE, datetime.timedelta(minutes=1)),
)


class LaunchPlanTriggerBase(Protocol):
    """What else may start a launch plan; a plugin's."""

    def to_flyte_idl(self, *args: Any) -> Any:
        """Return it as the wire has it."""
        ...


class Schedule:
    """A schedule as the wire has it.

    :ivar kickoff_time_input_arg: input that gets the time for which a run was scheduled
    """

    def __init__(self, message: ScheduleMessage, kickoff_time_input_arg: str | None) -> None:
        self._message = message
        self._message.kickoff_time_input_arg = kickoff_time_input_arg or ""

    @property
    def kickoff_time_input_arg(self) -> str:
        """Input that gets the scheduled time."""
        return str(self._message.kickoff_time_input_arg)

    def message(self) -> ScheduleMessage:
        """Return the schedule as the wire has it."""
        return self._message

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self._message == other._message

    def __hash__(self) -> int:
        return hash(self._message.SerializeToString())


class CronSchedule(Schedule):
    """Times by cron's five fields, or ``hourly``, ``@daily`` and the like; UTC.

    :param offset: ISO 8601 duration by which each time is moved (upstream keeps it, and moves nothing)
    :raises ValueError: naming the field that is wrong
    """

    def __init__(
        self,
        cron_expression: str | None = None,
        schedule: str | None = None,
        offset: str | None = None,
        kickoff_time_input_arg: str | None = None,
    ) -> None:
        if cron_expression:
            raise AssertionError("cron_expression is deprecated and should not be used. Use `schedule` instead.")
        message = ScheduleMessage()
        if schedule is not None:
            check_cron(schedule)
            message.cron_schedule.CopyFrom(CronScheduleMessage(schedule=schedule, offset=offset or ""))
        if offset is not None and _OFFSET.fullmatch(offset) is None:
            raise ValueError(f"Offset is invalid. It must be an ISO 8601 duration. Provided offset: {offset}")
        super().__init__(message, kickoff_time_input_arg)


class FixedRate(Schedule):
    """Times at equal distances.

    :param duration: whole minutes
    """

    def __init__(self, duration: datetime.timedelta, kickoff_time_input_arg: str | None = None) -> None:
        minute = datetime.timedelta(minutes=1)
        if duration < minute or duration % minute:
            raise AssertionError(
                f"Granularity of less than a minute is not supported for FixedRate schedules.  Received: {duration}"
            )
        unit, length = next((unit, length) for unit, length in _UNITS if not duration % length)
        super().__init__(
            ScheduleMessage(rate=FixedRateMessage(value=duration // length, unit=unit)), kickoff_time_input_arg
        )


class OnSchedule:
    """A schedule as a trigger; engines of the open version know ``schedule=`` only.

    :param schedule: the schedule
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def to_flyte_idl(self, *args: Any) -> ScheduleMessage:
        """Return the schedule as the wire has it."""
        return self._schedule.message()


def check_cron(text: str) -> None:
    """Check a cron schedule.

    :raises ValueError: naming the field that is wrong
    """
    if text.lower() in _ALIASES:
        return
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"Schedule is invalid. Provided schedule: {text} Error: expected 5 fields, got {len(fields)}")
    for value, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        if not all(_fits(part, low, high, words) for part in value.split(",")):
            raise ValueError(f"Schedule is invalid. Provided schedule: {text} Error: {value!r} is no {name}")


def _fits(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (step.isdigit() and int(step) > 0):
        return False
    if span in {"*", "?"} or (span.lower() == "l" and (low, high) == (1, 31)):
        return True
    if "#" in span and words == _DAYS:
        span = span.split("#")[0]
    ends = [_number(end, low, words) for end in span.split("-")]
    return 1 <= len(ends) <= 2 and all(end is not None and low <= end <= high for end in ends)


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text.isdigit():
        return int(text)
    return words.index(text.lower()[:3]) + low if text.lower()[:3] in words else None
