"""Signals of ``flyte up``: the first one stops it in order, the second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOP_SECONDS = 4.5
"""What has not ended in order by then is left as after a crash: the next start goes on from there."""
EXIT_AT_ONCE = 130


def stop_plainly() -> None:
    """Until there is an event loop: end with exit code 0 on a signal, for nothing has been started."""
    for number in SIGNALS:
        signal.signal(number, _exit)


def run_until_signal(serve: Coroutine[Any, Any, None], say: Callable[[str], None]) -> None:
    """Run a coroutine that serves until it is cancelled; a signal cancels it, whether it serves yet or not.

    :raises Exception: what the coroutine raises
    """
    asyncio.run(_run(serve, say))


async def _run(serve: Coroutine[Any, Any, None], say: Callable[[str], None]) -> None:
    task = asyncio.create_task(serve, name="flyte up")
    stopping = False

    def on_signal() -> None:
        nonlocal stopping
        if stopping:
            say("stopped at once; the next start takes care of what is left")
            _leave(EXIT_AT_ONCE)
        stopping = True
        say("stopping; once more to stop at once")
        watchdog = threading.Timer(STOP_SECONDS, _leave, (0,))
        watchdog.daemon = True
        watchdog.start()
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def _leave(code: int) -> None:
    sys.stdout.flush()
    os._exit(code)


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
