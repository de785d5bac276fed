"""Accepting goes before executing: how many orders are carried out at a time while executions are accepted.

Where the data plane lives in the same process, each order brings work to the event loop that new requests then wait
behind. Whoever submits waits for the answer; an execution that is queued can wait. So, while acceptance is late, orders
go out one by one with pauses, and as soon as it is on time again, or nobody submits, in full batches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LATE_SECONDS = 0.015
"""Accepting an execution should not take longer."""
PAUSE_SECONDS = 0.05
"""Before each turn while acceptance is late: even then 20 orders a second are carried out."""


class Pace:
    """Watches how long acceptance takes, for one event loop.

    :param largest: orders of one turn when acceptance is on time
    """

    def __init__(self, largest: int, now: Callable[[], float] = time.monotonic) -> None:
        self._largest = largest
        self._now = now
        self._under_way: dict[object, float] = {}
        self._late = False
        self._size = largest

    @contextmanager
    def accepting(self) -> Iterator[None]:
        """Watch one request."""
        request = object()
        self._under_way[request] = self._now()
        try:
            yield
        finally:
            self._late |= self._now() - self._under_way.pop(request) > LATE_SECONDS

    def next_turn(self) -> tuple[int, float]:
        """Return how many orders to carry out, and the seconds to wait before."""
        oldest = min(self._under_way.values(), default=self._now())
        late = self._late or self._now() - oldest > LATE_SECONDS
        self._late = False
        self._size = max(self._size // 8, 1) if late else min(self._size * 2, self._largest)
        return self._size, PAUSE_SECONDS if late else 0.0
