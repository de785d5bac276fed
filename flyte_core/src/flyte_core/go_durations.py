"""Durations as Go writes and reads them (``1h30m``, ``1.5s``, ``300ms``): upstream's form in texts."""

from __future__ import annotations

import re

from flyte_core.errors import InvalidInput

_DURATION = re.compile(r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}
_NANOSECONDS["h"] = 60 * _NANOSECONDS["m"]
_LARGEST = 2**63


def parse_duration(text: str) -> int:
    """Return the nanoseconds that a text means.

    :raises flyte_core.errors.InvalidInput: if it means none, or more than 292 years
    """
    if text.lstrip("+-") == "0":
        return 0
    if not _DURATION.fullmatch(text):
        raise InvalidInput(f"{text[:256]!r} is no duration, such as 300ms, 1.5h or 2h45m")
    total = 0
    for number, unit in _PART.findall(text):
        whole, _, fraction = number.partition(".")
        total += int(whole or 0) * _NANOSECONDS[unit] + int(fraction or 0) * _NANOSECONDS[unit] // 10 ** len(fraction)
    if total >= _LARGEST:
        raise InvalidInput(f"{text[:256]!r} is a duration beyond 292 years")
    return -total if text.startswith("-") else total


def duration_text(nanoseconds: int) -> str:
    """Return the shortest text of whole units from hours down, with a fraction of the last one only."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < _NANOSECONDS["s"]:
        unit = next(unit for unit in ("ms", "µs", "ns") if rest >= _NANOSECONDS[unit])
        return sign + _decimal(rest, _NANOSECONDS[unit]) + unit
    minutes, below = divmod(rest, _NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = _decimal(below, _NANOSECONDS["s"]) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(value: int, unit: int) -> str:
    whole, fraction = divmod(value, unit)
    digits = f"{fraction:0{len(str(unit)) - 1}d}".rstrip("0") if fraction else ""
    return f"{whole}.{digits}" if digits else str(whole)
