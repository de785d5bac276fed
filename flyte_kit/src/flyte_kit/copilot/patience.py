"""Work with an object store that may not answer for a while: its restart must not cost the hours of a command."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPException
from itertools import chain, repeat
from typing import TypeVar

from flyte_core.errors import SystemFault, Unavailable

T = TypeVar("T")
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
