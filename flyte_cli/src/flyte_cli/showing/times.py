"""Times and durations as commands show them, and how far back lists go. Times without a zone are UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_cli.executions.terminal_phases import is_ended
from flyte_cli.options.moments import date, duration


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def time_text(stamp: Timestamp) -> str:
    """Return a time in UTC to the second; empty where it is not set."""
    return stamp.ToDatetime().isoformat(" ", "seconds") if stamp.ByteSize() else ""


def iso_text(stamp: Timestamp) -> str:
    """Return a time in UTC as programs read it (``2024-01-31T12:00:00.000Z``); empty where it is not set."""
    return stamp.ToDatetime().isoformat(timespec="milliseconds") + "Z" if stamp.ByteSize() else ""


def duration_text(seconds: float | None) -> str:
    """Return ``1.5 s``, ``2 min 05 s`` or ``3 h 20 min``; empty for None."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def seconds_of(closure: Any, at: datetime) -> float:
    """Return how long an execution, node or attempt ran, or has been there so far.

    The control plane knows no duration of what ended without having been seen running: then it is the time from its
    creation to its last change.

    :param closure: of any of them
    :param at: the time, for what has not ended
    """
    if closure.HasField("duration"):
        return float(closure.duration.ToTimedelta().total_seconds())
    begin = closure.started_at if closure.HasField("started_at") else closure.created_at
    if not begin.ByteSize():
        return 0.0
    end = closure.updated_at.ToDatetime(tzinfo=UTC) if is_ended(closure) else at
    return float(max(0.0, (end - begin.ToDatetime(tzinfo=UTC)).total_seconds()))


def since(text: str) -> datetime:
    """Read a time: a date, or how long ago (``90s``, ``1h30m``, ``7d``).

    :raises click.BadParameter: if it is neither
    """
    try:
        return now() - duration(text)
    except click.BadParameter:
        return date(text)
    except OverflowError as error:
        raise click.BadParameter(f"{text!r} is before the years that there are") from error
