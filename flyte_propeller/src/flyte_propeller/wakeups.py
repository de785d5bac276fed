"""Keys that want to be looked at: each is worked on once at a time, and a wake-up is never lost."""

from __future__ import annotations

import asyncio
import heapq
from collections import OrderedDict
from typing import NamedTuple


class Key(NamedTuple):
    """Namespace and name of a FlyteWorkflow."""

    namespace: str
    name: str


class Awaited:
    """Which executions wait for the end of which others, so that an end that is seen here wakes them at once."""

    def __init__(self) -> None:
        self._waiting: dict[Key, tuple[Key, int]] = {}

    def note(self, child: Key, parent: Key, node: int) -> None:
        """The node of the parent waits for the child."""
        self._waiting[child] = (parent, node)

    def forget(self, child: Key) -> None:
        """Nobody waits for the child any more."""
        self._waiting.pop(child, None)

    def take(self, child: Key) -> tuple[Key, int] | None:
        """Return who waits for the child that has ended, and forget it."""
        return self._waiting.pop(child, None)


class Wakeups:
    """A set of keys in order of arrival, for one taker. A key that is woken while it is worked on comes back later."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Key, None] = OrderedDict()
        self._working: set[Key] = set()
        self._again: set[Key] = set()
        self._later: list[tuple[float, Key]] = []
        self._due: dict[Key, float] = {}
        self._changed = asyncio.Event()

    def wake(self, key: Key) -> None:
        """Have the key looked at now."""
        if key in self._working:
            self._again.add(key)
        else:
            self._waiting[key] = None
            self._changed.set()

    def wake_later(self, key: Key, seconds: float) -> None:
        """Have the key looked at after that time, at the latest."""
        at = asyncio.get_running_loop().time() + seconds
        if self._due.get(key, at + 1) > at:
            self._due[key] = at
            heapq.heappush(self._later, (at, key))
            self._changed.set()

    async def take(self) -> Key:
        """Wait for a key and hold it; :meth:`done` lets it go."""
        while True:
            wait = self._move_due()
            if self._waiting:
                key, _ = self._waiting.popitem(last=False)
                self._working.add(key)
                return key
            self._changed.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def done(self, key: Key) -> None:
        """Let the key go."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.wake(key)

    def _move_due(self) -> float | None:
        """Wake what is due; return the seconds until the next, None if there is none."""
        now = asyncio.get_running_loop().time()
        while self._later and self._later[0][0] <= now:
            at, key = heapq.heappop(self._later)
            if self._due.get(key) == at:
                del self._due[key]
                self.wake(key)
        return self._later[0][0] - now if self._later else None
