"""Sameness of what is registered: a digest, and in words what differs."""

from __future__ import annotations

import hashlib
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

MOST_DIFFERENCES = 50
"""Differences shown, at most; a status text has its bound too."""

_SHOWN = 80


def digest(message: Message) -> bytes:
    """Return the SHA-256 of the message; equal content, in whatever order of map entries, has equal digests."""
    return hashlib.sha256(message.SerializeToString(deterministic=True)).digest()


def differences(old: Message, new: Message) -> str:
    """Return one line per field that differs, by its path: ``template.container.image: "a" => "b"``."""
    found: list[str] = []
    _compare("", _plain(old), _plain(new), found)
    shown = found[:MOST_DIFFERENCES]
    if len(found) > MOST_DIFFERENCES:
        shown.append(f"... and {len(found) - MOST_DIFFERENCES} more")
    return "\n".join(shown)


def _plain(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


def _compare(path: str, old: Any, new: Any, found: list[str]) -> None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            _compare(f"{path}.{key}" if path else key, old.get(key), new.get(key), found)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            _compare(f"{path}[{index}]", before, after, found)
    elif old != new:
        found.append(f"{path}: {_show(old)} => {_show(new)}")


def _show(value: Any) -> str:
    if value is None:
        return "(none)"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
