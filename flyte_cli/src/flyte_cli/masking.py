"""Hides what should not stand on a screen: values of environment variables that are named like secrets."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"
_SECRET = re.compile(
    r"secret|token|passw|passphrase|credential|private_?key|api_?key|access_?key|auth|dsn|connection_?string", re.I
)
_NAMES = ("key", "name")


def is_secret(name: str) -> bool:
    """Tell whether a variable's name says that its value is a secret."""
    return bool(_SECRET.search(name))


def masked(data: Any) -> Any:
    """Return JSON-like data with the values of secret variables replaced.

    A variable is an entry ``{"key" or "name": …, "value": …}`` of a list named ``env`` or below ``envs``: that is how
    containers, pods, executions and launch plans hold them.
    """
    if isinstance(data, dict):
        return {key: _variables(value) if key in ("env", "envs") else masked(value) for key, value in data.items()}
    return [masked(each) for each in data] if isinstance(data, list) else data


def _variables(data: Any) -> Any:
    if isinstance(data, dict) and "values" in data:
        return {**data, "values": _variables(data["values"])}
    if not isinstance(data, list):
        return data
    return [_variable(each) if isinstance(each, dict) else each for each in data]


def _variable(entry: dict[str, Any]) -> dict[str, Any]:
    name = next((str(entry[key]) for key in _NAMES if key in entry), "")
    return {**entry, "value": HIDDEN} if "value" in entry and is_secret(name) else entry
