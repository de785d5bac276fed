"""Dates and durations as people type them, in pyflyte's words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from flyte_core.errors import InvalidInput

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_WORDS = {
    **_UNITS,
    **{name: _UNITS[name[0]] for name in ("week", "day", "hour", "minute", "second")},
    "hr": _UNITS["h"],
    "min": _UNITS["m"],
    "sec": _UNITS["s"],
    "ms": timedelta(milliseconds=1),
}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*,?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")
_ISO = re.compile(
    r"P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_SHIFTED = re.compile(r"(?P<moment>.+?)\s+(?P<sign>[-+])\s*(?P<duration>\S.*)")


def duration(text: str) -> timedelta:
    """Read ``90`` (seconds), ``1h30m``, ``2 days``, ``1:30:00`` or ISO 8601 (``P1DT2H``).

    :raises InvalidInput: if it is none of them; says what is
    """
    plain = text.strip()
    try:
        return _duration(plain)
    except OverflowError as error:
        raise InvalidInput(f"{text!r} is too long for a duration") from error


def _duration(plain: str) -> timedelta:
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        return timedelta(seconds=float(plain))
    if clock := _CLOCK.fullmatch(plain):
        hours, minutes, seconds = clock.groups()
        return timedelta(hours=int(hours or 0), minutes=int(minutes), seconds=float(seconds))
    if plain.startswith("P") and plain[-1] not in "PT" and (iso := _ISO.fullmatch(plain)):
        amounts = zip(iso.groups(), _UNITS.values(), strict=True)
        return sum((float(amount) * unit for amount, unit in amounts if amount), timedelta())
    parts = _PART.findall(plain.lower())
    known = all(_unit(word) is not None for _, word in parts)
    if not parts or not known or _PART.sub("", plain.lower()).strip():
        raise InvalidInput(f"{plain!r} is no duration: give seconds, or for example 1h30m, '2 days' or P1DT2H")
    return sum((float(amount) * (_unit(word) or timedelta()) for amount, word in parts), timedelta())


def _unit(word: str) -> timedelta | None:
    return _WORDS.get(word) or _WORDS.get(word.removesuffix("s"))


def date(text: str, now: datetime | None = None) -> datetime:
    """Read ``now``, ``today``, an ISO 8601 date or time, or one of these minus or plus a duration; UTC without a zone.

    :param now: the present, with a zone
    :raises InvalidInput: if it is none of them; says what is
    """
    now = now or datetime.now(UTC)
    plain = text.strip()
    if plain == "now":
        return now
    if plain == "today":
        return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if shifted := _SHIFTED.fullmatch(plain):
        length, moment = duration(shifted["duration"]), date(shifted["moment"], now)
        try:
            return moment - length if shifted["sign"] == "-" else moment + length
        except OverflowError as error:
            raise InvalidInput(f"{text!r} is beyond the years that there are") from error
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no date: give now, today, 2024-01-31 or 2024-01-31T12:00, or one of them with ' - 2d'"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
