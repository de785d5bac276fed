"""Iterators that tasks get and give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

JSON = TypeVar("JSON", bound=dict[str, Any] | list[Any] | int | float | str | bool | None)
"""``Iterator[JSON]``: values of a JSON Lines file."""


class FlyteIterator:
    """Elements of a list, each converted when it is asked for.

    :param items: literals
    :param convert: literal to value
    """

    def __init__(self, items: Sequence[Any], convert: Callable[[Any], Any]) -> None:
        self._items, self._convert, self._next = items, convert, 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        self._next = 0
        return self

    def __next__(self) -> Any:
        if self._next >= len(self._items):
            raise StopIteration
        self._next += 1
        return self._convert(self._items[self._next - 1])
