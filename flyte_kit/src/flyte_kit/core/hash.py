"""Cache keys of values that have no natural one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from flyte_kit.core.type_variables import T


class HashMethod(Generic[T]):
    """``Annotated[pd.DataFrame, HashMethod(fn)]``: caches compare ``fn(value)`` in place of the value.

    :param function: returns the same text for values that are to count as the same
    """

    def __init__(self, function: Callable[[T], str]) -> None:
        self._function = function

    def calculate(self, obj: T) -> str:
        """Return the value's key."""
        return self._function(obj)


class HashOnReferenceMixin:
    """Hashes by identity."""

    def __hash__(self) -> int:
        return id(self)


def hash_of(value: Any, metadata: tuple[Any, ...]) -> str:
    """Return the key that the first hash method of an ``Annotated`` gives a value; empty if it has none."""
    return next((str(each.calculate(value)) for each in metadata if isinstance(each, HashMethod)), "")
