"""Kubernetes quantities: ``500m``, ``1Gi``, ``1e3``."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

from flyte_core.errors import InvalidInput

_QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(|[eE][+-]?\d{1,2}|[numkMGTPE]|[KMGTPE]i)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_LONGEST = 64


def parse_quantity(text: str) -> Decimal:
    """Return the number that a quantity stands for.

    :raises InvalidInput: if it is not a quantity
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise InvalidInput(f"{text[:_LONGEST]!r} is not a Kubernetes quantity as in 500m or 1Gi")
    number, unit = Decimal(match[1]), match[2]
    if unit.endswith("i"):
        return number * Decimal(1024) ** _BINARY.index(unit)
    return number.scaleb(_DECIMAL[unit] if unit in _DECIMAL else int(unit[1:]))


def canonical(text: str) -> str:
    """Return the quantity as Kubernetes prints it: the largest unit with a whole number (``1000m`` → ``1``).

    :raises InvalidInput: if it is not a quantity
    """
    value = parse_quantity(text)
    if not value:
        return "0"
    if text.endswith("i") and value == value.to_integral_value():
        return _binary_text(int(value))
    if re.search(r"\d[eE][+-]?\d", text):
        return text
    return _decimal_text(value)


def _binary_text(value: int) -> str:
    step = 0
    while value % 1024 == 0 and step < len(_BINARY) - 1:
        value //= 1024
        step += 1
    return f"{value}{_BINARY[step]}"


def _decimal_text(value: Decimal) -> str:
    for unit, exponent in reversed(_DECIMAL.items()):
        scaled = value.scaleb(-exponent)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{unit}"
    return f"{int(value.scaleb(9).to_integral_value(ROUND_CEILING))}n"
