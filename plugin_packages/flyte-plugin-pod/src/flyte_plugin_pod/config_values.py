"""Kinds of values in the configuration, and how each is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flyte_core.errors import InvalidInput
from flyte_core.quantities import parse_quantity

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


class Wrong(Exception):
    """A value of another kind; the text goes on from the key (``: …`` or ``.sub: …``)."""


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise Wrong(f": {value!r:.100} is no text")
    return value


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise Wrong(f": {value!r:.100} is neither true nor false")
    return value


def texts(value: Any) -> dict[str, str]:
    """Read a mapping of texts, or upstream's form: a list of mappings."""
    parts = value if isinstance(value, list | tuple) else [value]
    read: dict[str, str] = {}
    for part in parts:
        if not isinstance(part, Mapping):
            raise Wrong(f": {part!r:.100} is no mapping of names to texts")
        for key, item in part.items():
            if isinstance(item, bool) or not isinstance(item, str | int | float):
                raise Wrong(f".{key}: {item!r:.100} is no text")
            read[str(key)] = str(item)
    return read


def names(value: Any) -> tuple[str, ...]:
    """Read a list of texts."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise Wrong(f": {value!r:.100} is no list of names")
    return tuple(value)


def mapping(value: Any) -> Mapping[str, Any]:
    """Read an object of Kubernetes' API."""
    if not isinstance(value, Mapping):
        raise Wrong(f": {value!r:.100} is no mapping")
    return value


def mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Read a list of objects of Kubernetes' API."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        raise Wrong(f": {value!r:.100} is no list of mappings")
    return tuple(value)


def seconds(value: Any) -> float:
    """Read a duration as Go writes it (``3m0s``), or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise Wrong(f": {value!r:.100} is no duration, such as 3m or 90s")
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest


def quantity(value: Any) -> str:
    """Read a quantity of Kubernetes; the empty text is none."""
    given = str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value)
    try:
        if given:
            parse_quantity(given)
    except InvalidInput as error:
        raise Wrong(f": {error}") from error
    return given


def by_name(convert: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a reader of a mapping whose values ``convert`` reads."""

    def read(value: Any) -> dict[str, Any]:
        converted = {}
        for key, item in mapping(value).items():
            try:
                converted[str(key)] = convert(item)
            except Wrong as error:
                raise Wrong(f".{key}{error}") from error
        return converted

    return read


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": text,
    "texts": texts,
    "names": names,
    "object": mapping,
    "objects": mappings,
    "object by name": by_name(mapping),
    "objects by name": by_name(mappings),
    "seconds": seconds,
    "quantity": quantity,
}
