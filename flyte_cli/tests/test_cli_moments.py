"""Dates and durations as options take them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import click
import pytest

from flyte_cli.options.moments import date, duration

NOW = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90", timedelta(seconds=90)),
        ("1.5", timedelta(seconds=1.5)),
        ("1h30m", timedelta(minutes=90)),
        ("1h30m0s", timedelta(minutes=90)),
        ("2 days", timedelta(days=2)),
        ("1 day, 2 hours", timedelta(hours=26)),
        ("250ms", timedelta(milliseconds=250)),
        ("1:30:00", timedelta(minutes=90)),
        ("2:05", timedelta(seconds=125)),
        ("P1DT2H", timedelta(hours=26)),
        ("PT30M", timedelta(minutes=30)),
        ("P2W", timedelta(weeks=2)),
    ],
)
def test_durations(text, wanted) -> None:
    assert duration(text) == wanted


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "5 parsecs", "soon", "1h x", "-3", "9" * 400])
def test_what_is_no_duration_is_refused(text) -> None:
    with pytest.raises(click.BadParameter):
        duration(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now", NOW),
        ("today", datetime(2024, 2, 3, tzinfo=UTC)),
        ("2024-01-31", datetime(2024, 1, 31, tzinfo=UTC)),
        ("2024-01-31T12:00:00Z", datetime(2024, 1, 31, 12, tzinfo=UTC)),
        ("2024-01-31 12:00:00", datetime(2024, 1, 31, 12, tzinfo=UTC)),
        ("2024-01-31T12:00+02:00", datetime(2024, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))),
        ("now - 2d", NOW - timedelta(days=2)),
        ("today + P1D", datetime(2024, 2, 4, tzinfo=UTC)),
        ("2024-01-31 - 1 day", datetime(2024, 1, 30, tzinfo=UTC)),
    ],
)
def test_dates(text, wanted) -> None:
    assert date(text, NOW) == wanted


@pytest.mark.parametrize("text", ["", "tomorrow", "2024-13-01", "2024-01-31 - soon", "2024-01-31 - 9999999d"])
def test_what_is_no_date_is_refused(text) -> None:
    with pytest.raises(click.BadParameter):
        date(text, NOW)
