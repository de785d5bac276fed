"""A block with its own context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flyte_kit.core.context_manager import FlyteContext, FlyteContextManager


@contextmanager
def new_context() -> Iterator[FlyteContext]:
    """Enter a block whose changes of the context end with it."""
    with FlyteContextManager.with_context(FlyteContextManager.current_context()) as ctx:
        yield ctx
