"""Replacing what tasks do, in users' own tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import MagicMock

from flyte_kit.core.reference_entity import ReferenceEntity

F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def task_mock(t: Any) -> Iterator[MagicMock]:
    """Let a mock stand for what a task, workflow or reference does, for a block; inputs and outputs are still checked.

    ``with task_mock(t1) as mock: mock.return_value = 3; assert wf(x=1) == 3``
    """
    if not hasattr(t, "execute"):
        raise ValueError("Can only be used for tasks, workflows and references")
    mock = MagicMock()
    own = "execute" in vars(t)
    before = t.execute
    t.execute = mock
    try:
        yield mock
    finally:
        if own:
            t.execute = before
        else:
            del t.execute


def patch(target: Any) -> Callable[[F], F]:
    """Decorate a test so that a mock stands for what ``target`` does; the test gets the mock as its first argument.

    :raises ValueError: if ``target`` can do nothing that could be replaced
    """
    if not hasattr(target, "execute") and not isinstance(target, ReferenceEntity):
        raise ValueError("Can only use mocks on tasks/workflows declared in Python.")

    def wrapper(test: F) -> F:
        def new_test(*args: Any, **kwargs: Any) -> Any:
            with task_mock(target) as mock:
                return test(mock, *args, **kwargs)

        new_test.__name__ = test.__name__
        return new_test  # type: ignore[return-value]

    return wrapper
