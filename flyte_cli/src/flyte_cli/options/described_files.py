"""Files that describe something to a command: YAML or JSON with known keys."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from flyte_core.errors import InvalidInput
from flyte_kit.core.input_text import read_document


def read_described(path: Path, keys: Collection[str]) -> dict[str, Any]:
    """Return what a file says; an empty file says nothing.

    :param keys: that it may have
    :raises flyte_core.errors.InvalidInput: if it cannot be read, or has another key; names the likely one
    """
    found = read_document(path)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidInput(f"{path}: give keys and values (key: value)")
    for key in found:
        if key not in keys:
            near = difflib.get_close_matches(str(key), keys, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"keys are {', '.join(keys)}"
            raise InvalidInput(f"{path}: there is no key {key!r}: {hint}", field=str(key))
    return found


def text_of(found: dict[str, Any], key: str, path: Path) -> str:
    """Return the text under a key, empty if it is not there.

    :raises flyte_core.errors.InvalidInput: if it is no text
    """
    value = found.get(key) or ""
    if not isinstance(value, str):
        raise InvalidInput(f"{path}: {key}: {value!r} is no text: write it in quotes", field=key)
    return value
