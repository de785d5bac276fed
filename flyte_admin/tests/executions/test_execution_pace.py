"""Accepting executions goes before carrying them out."""

from __future__ import annotations

import pytest

from flyte_admin.dispatch.pace import LATE_SECONDS, PAUSE_SECONDS, Pace


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_orders_go_out_in_full_batches_while_nobody_waits_or_acceptance_is_on_time() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    assert pace.next_turn() == (64, 0.0)
    with pace.accepting():
        watch.seconds += LATE_SECONDS / 2
    assert pace.next_turn() == (64, 0.0)


def test_orders_go_out_one_by_one_with_pauses_while_acceptance_is_late_and_never_stop() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    sizes = []
    for _ in range(4):
        with pace.accepting():
            watch.seconds += LATE_SECONDS * 2
        sizes.append(pace.next_turn())
    assert sizes == [(8, PAUSE_SECONDS), *[(1, PAUSE_SECONDS)] * 3]
    assert [pace.next_turn()[0] for _ in range(7)] == [2, 4, 8, 16, 32, 64, 64]


def test_a_request_that_still_waits_is_late_too() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    with pace.accepting():
        watch.seconds += LATE_SECONDS * 2
        assert pace.next_turn() == (8, PAUSE_SECONDS)


def test_a_request_that_failed_is_over() -> None:
    watch = Watch()
    pace = Pace(64, watch)
    with pytest.raises(ZeroDivisionError), pace.accepting():
        _ = 1 / 0
    watch.seconds += LATE_SECONDS * 2
    assert pace.next_turn() == (64, 0.0)
