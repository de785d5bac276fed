"""Hides what should not stand on a screen: values of environment variables that are named like secrets."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"
_SECRET = re.compile(
    r"secret|token|passw|passphrase|credential|(private|access|account|api|encryption|signing)_?key"
    r"|authorization|connection_?string|(^|_)(auth|pwd|dsn)(_|$)",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"(://[^/@:\s]*:)[^/@\s]+@")
_NAMES = ("key", "name")


def shown_value(name: str, value: str) -> str:
    """Return a variable's value as it may be shown: none if it is named like a secret, URLs without their password."""
    return HIDDEN if _SECRET.search(name) else _IN_URL.sub(rf"\1{HIDDEN}@", value)


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
    return {**entry, "value": shown_value(name, str(entry["value"]))} if "value" in entry else entry
