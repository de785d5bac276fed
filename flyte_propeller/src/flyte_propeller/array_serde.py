"""The elements of an array node within the stored state: most of them are alike, so that their bytes are deflated."""

from __future__ import annotations

import base64
import zlib
from typing import Any

from flyte_propeller.machine.array_state import ArrayState, Failure


def array_to_json(array: ArrayState) -> list[Any]:
    """Return the state as JSON."""
    ended = base64.b64encode(zlib.compress(array.ended, 1)).decode()
    failures = [[failed.element, failed.code, failed.message, failed.kind] for failed in array.failures]
    return [array.size, ended, array.begun, array.succeeded, array.failed, array.version, failures]


def array_from_json(values: list[Any]) -> ArrayState:
    """Return the state that :func:`array_to_json` has given.

    :raises ValueError: if it is something else
    """
    size, ended, begun, succeeded, failed, version, failures = values
    return ArrayState(
        size,
        zlib.decompress(base64.b64decode(ended, validate=True)),
        begun,
        succeeded,
        failed,
        version,
        tuple(Failure(*failure) for failure in failures),
    )
