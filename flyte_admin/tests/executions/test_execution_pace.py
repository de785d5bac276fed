"""Accepting executions goes before carrying them out."""

from __future__ import annotations

import pytest

from flyte_admin.dispatch.pace import LATE_SECONDS, PAUSE_SECONDS, QUIET_SECONDS, Pace


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def accept(pace: Pace, watch: Watch, seconds: float) -> None:
    with pace.accepting():
        watch.seconds += seconds


def test_orders_go_out_in_full_batches_while_nobody_submits() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    assert pace.next_turn() == (64, 0.0)
    accept(pace, watch, LATE_SECONDS * 2)
    assert [pace.next_turn() for _ in range(3)] == [(1, PAUSE_SECONDS)] * 3
    watch.seconds += QUIET_SECONDS * 1.1
    assert pace.next_turn() == (64, 0.0)


def test_while_acceptance_is_on_time_more_orders_go_out_each_turn_up_to_a_full_batch() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    sizes = []
    for _ in range(100):
        accept(pace, watch, LATE_SECONDS / 2)
        sizes.append(pace.next_turn()[0])
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (1, 64)


def test_while_acceptance_is_late_orders_go_out_one_by_one_and_never_stop() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    for _ in range(50):
        accept(pace, watch, LATE_SECONDS / 2)
        pace.next_turn()
    for _ in range(5):
        accept(pace, watch, LATE_SECONDS * 2)
        assert pace.next_turn() == (1, PAUSE_SECONDS)


def test_a_request_that_still_waits_is_late_too() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    with pace.accepting():
        watch.seconds += LATE_SECONDS * 2
        assert pace.next_turn() == (1, PAUSE_SECONDS)
    assert pace.next_turn() == (1, PAUSE_SECONDS)


def test_a_request_that_failed_is_over() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    with pytest.raises(ZeroDivisionError), pace.accepting():
        _ = 1 / 0
    watch.seconds += QUIET_SECONDS * 1.1
    assert pace.next_turn() == (64, 0.0)
