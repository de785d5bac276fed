"""Waiting for work that announces itself, without trusting that every announcement arrives."""

from __future__ import annotations

import asyncio

from flyte_core.clock import Clock


class Alarm:
    """Wakes one waiter when it is rung, or when the time is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter, or have its next wait be over at once."""
        self._rung.set()

    def reset(self) -> None:
        """Forget earlier rings; to be called before looking at what there is to do."""
        self._rung.clear()

    async def wait(self, seconds: float) -> None:
        """Return when rung since the last reset, after ``seconds`` at the latest."""
        waiters = [asyncio.create_task(self._rung.wait()), asyncio.create_task(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
