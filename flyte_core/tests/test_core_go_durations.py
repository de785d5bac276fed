"""Durations in Go's form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from flyte_core.errors import InvalidInput
from flyte_core.go_durations import duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0s", 0),
        ("1ns", 1),
        ("1.5µs", 1500),
        ("300ms", 300_000_000),
        ("1.5s", 1_500_000_000),
        ("1m0s", 60_000_000_000),
        ("1h0m0.25s", 3_600_250_000_000),
        ("-2h45m0s", -9_900_000_000_000),
    ],
)
def test_a_duration_has_one_text_and_is_read_from_it(text: str, nanoseconds: int) -> None:
    assert duration_text(nanoseconds) == text
    assert parse_duration(text) == nanoseconds


@given(integers(-(2**63) + 1, 2**63 - 1))
def test_what_is_written_reads_back(nanoseconds: int) -> None:
    assert parse_duration(duration_text(nanoseconds)) == nanoseconds


def test_other_spellings_are_read() -> None:
    assert parse_duration("90m") == parse_duration("1.5h") == parse_duration("+1h30m") == 5_400_000_000_000
    assert parse_duration("0") == 0
    assert parse_duration(".5us") == 500


@pytest.mark.parametrize("text", ["", "1", "1d", "s", "1h-2m", "1:00", "3000000h", "one hour"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_duration(text)
