"""How often to look at what announces itself only where planes share a process: often at first, ever more rarely."""

from __future__ import annotations

from datetime import datetime, timedelta

from flyte_propeller.shell.execution import Execution

FIRST, LAST = timedelta(milliseconds=250), timedelta(seconds=10)
"""Shortest and longest time between two looks at a child execution or a signal."""
SHARE = 8
"""The next look comes when the wait has become longer by one part in so many."""


def look_again(execution: Execution, index: int, since: datetime | None, now: datetime) -> None:
    """Have the node looked at once more.

    :param since: when the wait began; None where that is not known
    """
    age = now - since if since is not None else timedelta()
    execution.timers.poll(now + min(max(age / SHARE, FIRST), LAST), index, now)


def started_at(execution: Execution, index: int) -> datetime | None:
    """Return when the node's current attempt began."""
    node = execution.state.running_at(index)
    return node.attempt_started_at if node is not None else None
