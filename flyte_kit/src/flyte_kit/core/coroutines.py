"""Running a coroutine from code that is not one."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    from concurrent import futures
else:
    futures = deferred("concurrent.futures")

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return its value.

    Where this thread has a running event loop, it is run in a thread of its own, with this context's variables.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    context = contextvars.copy_context()
    with futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(context.run, asyncio.run, coroutine).result()
