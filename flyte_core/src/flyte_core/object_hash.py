"""The hash of a message by its JSON form: what two data planes must agree on to share cached results.

Upstream hashes the protobuf JSON text of a message with "objecthash": each value is hashed with SHA-256 after a letter
for its kind, maps as their sorted pairs of hashes. All numbers of JSON are floats to it; protobuf's 64-bit integers
are strings there.
"""

from __future__ import annotations

import hashlib
import math
from typing import TypeAlias

from google.protobuf.json_format import MessageToDict, SerializeToJsonError
from google.protobuf.message import Message

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A value as JSON has it."""


def hash_message(message: Message) -> bytes:
    """Return the 32 bytes that upstream's ``pbhash`` gives for this message.

    :raises ValueError: if it holds a number that JSON has not (NaN in a ``google.protobuf.Struct``)
    """
    try:
        return hash_json(MessageToDict(message))
    except SerializeToJsonError as error:
        raise ValueError(str(error)) from error


def hash_json(value: Json) -> bytes:
    """Return the objecthash of a value of JSON.

    :raises ValueError: if it is a number that is not finite
    """
    match value:
        case None:
            return _tagged(b"n", b"")
        case bool():
            return _tagged(b"b", b"1" if value else b"0")
        case int() | float():
            return _tagged(b"f", _float_text(float(value)).encode())
        case str():
            return _tagged(b"u", value.encode())
        case list():
            return _tagged(b"l", b"".join(map(hash_json, value)))
        case dict():
            return _tagged(b"d", b"".join(sorted(hash_json(key) + hash_json(item) for key, item in value.items())))


def _tagged(kind: bytes, data: bytes) -> bytes:
    return hashlib.sha256(kind + data).digest()


def _float_text(number: float) -> str:
    """Return sign, binary exponent and mantissa: ``+1:1`` for 2, where the mantissa is above 0.5 and up to 1."""
    if not math.isfinite(number):
        raise ValueError(f"{number} cannot be hashed")
    if number == 0:
        return "+0:"
    mantissa, exponent = math.frexp(abs(number))
    if mantissa == 0.5:  # frexp's range is [0.5, 1), the format's is (0.5, 1]
        mantissa, exponent = 1.0, exponent - 1
    bits = []
    while mantissa:
        bits.append("1" if mantissa >= 1 else "0")
        mantissa = (mantissa - (mantissa >= 1)) * 2
    return f"{'-' if number < 0 else '+'}{exponent}:{''.join(bits)}"
