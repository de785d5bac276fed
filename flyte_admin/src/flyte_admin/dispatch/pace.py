"""Accepting goes before executing: how many orders are carried out at a time while executions are accepted.

Where the data plane lives in the same process, each order brings work to the event loop that new requests then wait
behind. Whoever submits waits for the answer; an execution that is queued can wait. So, while executions are accepted,
orders go out with pauses: slowly more each turn as long as acceptance is on time, one when it is late, as the work
of an order goes on for a while after it went out. As soon as nobody submits, they go out in full batches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LATE_SECONDS = 0.010
"""Accepting an execution should not take longer."""
PAUSE_SECONDS = 0.05
"""Before each turn while executions are accepted; so even when that is late, 20 orders a second are carried out."""

QUIET_SECONDS = 0.2
"""Without a request for so long, nobody submits."""
GROWTH = 1.05
"""Factor by which a turn may be larger than the one before: a full batch is reached after 4 seconds."""


class Pace:
    """Watches how long acceptance takes, for one event loop.

    :param largest: orders of one turn
    """

    def __init__(self, largest: int, now: Callable[[], float] = time.monotonic) -> None:
        self._largest = largest
        self._now = now
        self._under_way: dict[object, float] = {}
        self._slowest = 0.0
        self._ended = float("-inf")
        self._size = 1.0

    @contextmanager
    def accepting(self) -> Iterator[None]:
        """Watch one request."""
        request = object()
        self._under_way[request] = self._now()
        try:
            yield
        finally:
            self._ended = self._now()
            self._slowest = max(self._slowest, self._ended - self._under_way.pop(request))

    def next_turn(self) -> tuple[int, float]:
        """Return how many orders to carry out, and the seconds to wait before."""
        now = self._now()
        if not self._under_way and now - self._ended > QUIET_SECONDS:
            self._size = 1.0
            return self._largest, 0.0
        late = max(self._slowest, now - min(self._under_way.values(), default=now)) > LATE_SECONDS
        self._slowest = 0.0
        self._size = 1.0 if late else min(self._size * GROWTH, self._largest)
        return int(self._size), PAUSE_SECONDS
