"""Says what a slow start is at; a quick one passes in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE_SECONDS = 1.5
"""A start that takes longer says what it does."""


class Progress:
    """Prints the step that is under way once the start has become slow, and each later one.

    A thread keeps the time: imports and other work that blocks the event loop are what is slow.

    :param say: prints one line
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._current = ""
        self._slow = False
        self._timer = threading.Timer(PATIENCE_SECONDS, self._become_slow)
        self._timer.daemon = True
        self._timer.start()

    def step(self, text: str) -> None:
        """Begin a step."""
        with self._lock:
            self._current = text
            if self._slow:
                self._say(text)

    def end(self) -> None:
        """Say nothing more."""
        self._timer.cancel()
        with self._lock:
            self._current = ""
            self._slow = False

    def _become_slow(self) -> None:
        with self._lock:
            self._slow = bool(self._current)
            if self._current:
                self._say(self._current)
