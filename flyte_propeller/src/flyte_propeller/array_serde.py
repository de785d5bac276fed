"""The elements of array nodes within the stored state.

Those that have ended are bytes of which most are alike, deflated. Those that run are JSON texts, deflated in groups
that follow each other: a write renews only the groups in which something has changed, and costs next to nothing for
the rest, however many elements run.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from flyte_propeller.machine.addresses import element_of, node_of
from flyte_propeller.machine.array_state import ArrayState, Failure

GROUP = 64
"""Elements of a group."""


class ElementsWriter:
    """Encodes the elements that run in successive states of one execution."""

    def __init__(self) -> None:
        self._groups: dict[tuple[int, int], dict[int, str]] = {}
        self._deflated: dict[tuple[int, int], bytes] = {}

    def note(self, address: int, text: str | None) -> None:
        """Take over the JSON of an element; None of one that has ended."""
        key = (node_of(address), element_of(address) // GROUP)
        group = self._groups.setdefault(key, {})
        self._deflated.pop(key, None)
        if text is not None:
            group[address] = f'"{address}":{text}'
        else:
            group.pop(address, None)
        if not group:
            del self._groups[key]

    def encode(self) -> bytes:
        """Return all groups."""
        for key, group in self._groups.items():
            if key not in self._deflated:
                self._deflated[key] = zlib.compress(f"{{{','.join(group.values())}}}".encode(), 1)
        return b"".join(self._deflated[key] for key in self._groups)


def elements_of(encoded: bytes) -> Mapping[str, Any]:
    """Return address → JSON of the elements that :class:`ElementsWriter` has written.

    :raises ValueError: if it is something else
    :raises zlib.error: the same
    """
    elements: dict[str, Any] = {}
    while encoded:
        stream = zlib.decompressobj()
        text = stream.decompress(encoded) + stream.flush()
        if not stream.eof:
            raise ValueError("elements are cut off")
        elements.update(json.loads(text))
        encoded = stream.unused_data
    return elements


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
