"""Work with an object store that may not answer for a while: its restart must not cost the hours of a command."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from http.client import HTTPException
from itertools import chain, repeat
from typing import TypeVar

from flyte_core.errors import FlyteError, SystemFault, Unavailable

T = TypeVar("T")


class Overdue(FlyteError):
    """Work that has taken more time than it may; never begun again."""


PATIENCE_SECONDS = 120.0
PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts; the last one counts for all later ones."""


def patiently(work: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Do the work, again where it fails for no fault of the user's.

    :param seconds: after which no further attempt is begun
    :raises flyte_core.errors.Unavailable: with the last failure, once the time is over
    """
    deadline = time.monotonic() + seconds
    for pause in chain(PAUSES, repeat(PAUSES[-1])):
        try:
            return work()
        except (SystemFault, HTTPException, OSError) as error:
            if time.monotonic() + pause > deadline:
                raise Unavailable(f"{type(error).__name__}: {error}") from error
        time.sleep(pause)
    raise AssertionError("there is always a next pause")


def within(seconds: float, work: Callable[[], object]) -> None:
    """Do the work of the main thread, interrupted when the time is over.

    :raises Overdue: if it was
    """

    def interrupt(*_: object) -> None:
        raise Overdue(f"it took more than {seconds:g} s")

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
