"""Cron expressions, read as upstream's scheduler reads them: five fields, names, steps, ``@daily`` and the like.

Two rules of that reader differ between crons. Where the day of the month and the day of the week are both restricted,
either is enough; ``*`` and ``?`` do not restrict, ``*/2`` does. And a time of day that a change of clocks skips does
not come, one that it repeats comes twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flyte_core.errors import InvalidInput

SEARCHED_YEARS = 9
"""How far ahead a time is looked for: 29 February is up to eight years away (2096 to 2104)."""

_LONGEST = 255
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ALIASES = {
    **dict.fromkeys(("@hourly", "hourly", "hours"), "0 * * * *"),
    **dict.fromkeys(("@daily", "@midnight", "daily", "days"), "0 0 * * *"),
    **dict.fromkeys(("@weekly", "weekly", "weeks"), "0 0 * * 0"),
    **dict.fromkeys(("@monthly", "monthly", "months"), "0 0 1 * *"),
    **dict.fromkeys(("@yearly", "@annually", "yearly", "annually", "years"), "0 0 1 1 *"),
}
"""Without ``@``: the words that flytekit lets pass."""
_PART = re.compile(r"(\*|\?|[a-z0-9]{1,8})(?:-([a-z0-9]{1,8}))?(?:/(\d{1,8}))?")
_ZONE = re.compile(r"(?:CRON_)?TZ=(\S{1,64})\s+")


@dataclass(frozen=True, slots=True)
class CronField:
    """What one field of an expression may hold.

    :ivar names: words for the numbers from ``low`` on
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_DATE_AND_TIME = (
    CronField("minute", 0, 59),
    CronField("hour", 0, 23),
    CronField("day of month", 1, 31),
    CronField("month", 1, 12, _MONTHS),
)
_STANDARD = (*_DATE_AND_TIME, CronField("day of week", 0, 6, _DAYS))
_AWS = (*_DATE_AND_TIME, CronField("day of week", 1, 7, _DAYS), CronField("year", 1970, 2199))


@dataclass(frozen=True, slots=True)
class CronTimes:
    """The times of a cron expression.

    :ivar weekdays: 0 is Sunday
    :ivar either_day: a day fits by the month or by the week, and need not by both
    :ivar years: empty for every year
    :ivar zone: whose clock the fields speak of
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    years: frozenset[int]
    zone: tzinfo

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time later than ``moment``, in UTC; None if there is none for years."""
        instant = moment.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
        last_year = max(self.years, default=instant.year + SEARCHED_YEARS)
        while True:
            local = instant.astimezone(self.zone)
            if local.year > last_year:
                return None
            if not self._fits_date(local):
                midnight = datetime.combine(self._next_date(local), time(), tzinfo=self.zone)
                instant = midnight.astimezone(UTC)
            elif local.hour not in self.hours:
                instant += (60 - local.minute) * _MINUTE
            elif local.minute not in self.minutes:
                instant += (min((m for m in self.minutes if m > local.minute), default=60) - local.minute) * _MINUTE
            else:
                return instant

    def _fits_date(self, day: date) -> bool:
        if day.month not in self.months or (self.years and day.year not in self.years):
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_month or by_week) if self.either_day else (by_month and by_week)

    def _next_date(self, day: date) -> date:
        """Return the next date that may fit: whole months that do not are passed over."""
        if day.month in self.months and not (self.years and day.year not in self.years):
            return date(day.year, day.month, day.day) + _DAY
        return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def parse_cron(expression: str) -> CronTimes:
    """Read five fields or an alias (``@daily``), in UTC unless ``TZ=Europe/Paris`` or ``CRON_TZ=`` goes before.

    :raises InvalidInput: naming the part at fault
    """
    zone, rest = _zone(expression.strip())
    text = rest.lower()
    return _times(expression, _ALIASES.get(text, text), _STANDARD, zone)


def parse_aws_cron(expression: str) -> CronTimes:
    """Read the six fields of Amazon's schedules, with or without ``cron(…)`` around: the sixth is the year, and days
    of the week count from 1 for Sunday. ``L``, ``W`` and ``#`` are refused.

    :raises InvalidInput: naming the part at fault
    """
    text = expression.strip().lower()
    if text.startswith("cron(") and text.endswith(")"):
        text = text[len("cron(") : -1]
    return _times(expression, text, _AWS, UTC)


def bad_cron(expression: str, reason: str) -> InvalidInput:
    """Return the error for an expression that is none (upstream's text, and the reason)."""
    return InvalidInput(f"Invalid cron expression: {expression[:_LONGEST]!r}: {reason}", field="cron_schedule.schedule")


def _zone(text: str) -> tuple[tzinfo, str]:
    match = _ZONE.match(text)
    if match is None:
        return UTC, text
    try:
        return ZoneInfo(match[1]), text[match.end() :]
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise bad_cron(text, f"no time zone {match[1]!r}; give one like TZ=Europe/Paris") from error


def _times(expression: str, text: str, fields: tuple[CronField, ...], zone: tzinfo) -> CronTimes:
    given = text.split()
    if len(expression) > _LONGEST:
        raise bad_cron(expression, f"more than {_LONGEST} characters")
    if len(given) != len(fields):
        raise bad_cron(expression, f"{len(given)} fields instead of {len(fields)}")
    sets = []
    for part, field in zip(given, fields, strict=True):
        values = _values(part, field)
        if values is None:
            raise bad_cron(expression, f"{field.name} {part[:64]!r}")
        sets.append(values)
    minutes, hours, days, months, weekdays = sets[:5]
    sunday = fields[4].low
    return CronTimes(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day - sunday for day in weekdays),
        either_day=not (_is_open(given[2]) or _is_open(given[4])),
        years=sets[5] if len(sets) > len(_STANDARD) and not _is_open(given[5]) else frozenset(),
        zone=zone,
    )


def _is_open(text: str) -> bool:
    """Tell whether a field leaves its part open: a ``*`` or ``?`` without a step above one."""
    parts = (part.partition("/") for part in text.split(","))
    return any(span in {"*", "?"} and int(step or 1) == 1 for span, _, step in parts)


def _values(text: str, field: CronField) -> frozenset[int] | None:
    """Return the numbers of a field; None if it is none."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        span = _span(match, field)
        step = int(match[3] or 1)
        if span is None or step == 0:
            return None
        found.update(range(span[0], span[1] + 1, step))
    return frozenset(found)


def _span(match: re.Match[str], field: CronField) -> tuple[int, int] | None:
    first_text, last_text, step = match.groups()
    if first_text in {"*", "?"}:
        return (field.low, field.high) if last_text is None else None
    first = _number(first_text, field)
    last = first if last_text is None else _number(last_text, field)
    if first is None or last is None or not field.low <= first <= last <= field.high:
        return None
    return (first, field.high) if last_text is None and step else (first, last)


def _number(text: str, field: CronField) -> int | None:
    if text in field.names:
        return field.names.index(text) + field.low
    return int(text) if text.isdigit() else None
