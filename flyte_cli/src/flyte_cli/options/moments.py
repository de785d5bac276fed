"""Dates and durations as types of options (``type=duration``), in the words of :mod:`flyte_kit.core.moments`."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from flyte_core.errors import InvalidInput
from flyte_kit.core import moments


def duration(text: str) -> timedelta:
    """Read ``90`` (seconds), ``1h30m``, ``2 days``, ``1:30:00`` or ISO 8601 (``P1DT2H``).

    :raises click.BadParameter: if it is none of them; says what is
    """
    try:
        return moments.duration(text)
    except InvalidInput as error:
        raise click.BadParameter(str(error)) from error


def date(text: str, now: datetime | None = None) -> datetime:
    """Read ``now``, ``today``, an ISO 8601 date or time, or one of these minus or plus a duration; UTC without a zone.

    :param now: the present, with a zone
    :raises click.BadParameter: if it is none of them; says what is
    """
    try:
        return moments.date(text, now)
    except InvalidInput as error:
        raise click.BadParameter(str(error)) from error
