"""Values as the text of a file, as upstream's copilot writes and reads them: Go's forms."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from flyteidl.core.literals_pb2 import Binary, Literal, Primitive, Scalar, Void
from flyteidl.core.types_pb2 import Error, SimpleType
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_core.command_templates import literal_text
from flyte_core.errors import InvalidInput
from flyte_core.go_durations import duration_text, parse_duration

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_INT64 = 2**63
_TRUE, _FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}
BLANKS = " \n\t"
"""What is cut from both ends of an output."""


def primitive_text(primitive: Primitive) -> str:
    """Return the text of an input: floats without exponent, durations as ``1h30m0s``, times in UTC."""
    match primitive.WhichOneof("value"):
        case "float_value":
            return _float_text(primitive.float_value)
        case "duration":
            return duration_text(primitive.duration.ToNanoseconds())
        case None:
            return "null"
        case _:
            return literal_text(Literal(scalar=Scalar(primitive=primitive)), "")


def _float_text(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else format(Decimal(repr(value)), "f").removesuffix(".0")


def literal_of_text(kind: SimpleType.ValueType, text: str) -> Literal:
    """Return the output that a text means.

    :raises flyte_core.errors.InvalidInput: if it means none of that type
    """
    read = _READERS.get(kind)
    if read is None:
        raise InvalidInput(f"a {SimpleType.Name(kind)} has no form as a text")
    return Literal(scalar=read(text.strip(BLANKS)))


def _integer(text: str) -> Scalar:
    if not _INTEGER.fullmatch(text) or not -_INT64 <= int(text) < _INT64:
        raise InvalidInput(f"{text[:256]!r} is no 64-bit integer")
    return Scalar(primitive=Primitive(integer=int(text)))


def _float(text: str) -> Scalar:
    try:
        if "_" not in text:
            return Scalar(primitive=Primitive(float_value=float(text)))
    except ValueError:
        pass  # told below
    raise InvalidInput(f"{text[:256]!r} is no number")


def _boolean(text: str) -> Scalar:
    if text not in _TRUE | _FALSE:
        raise InvalidInput(f"{text[:256]!r} is neither true nor false")
    return Scalar(primitive=Primitive(boolean=text in _TRUE))


def _datetime(text: str) -> Scalar:
    moment = Timestamp()
    try:
        moment.FromJsonString(text)
    except ValueError:
        raise InvalidInput(f"{text[:256]!r} is no time as RFC 3339 has it, such as 2024-01-31T12:00:00Z") from None
    return Scalar(primitive=Primitive(datetime=moment))


def _duration(text: str) -> Scalar:
    duration = Duration()
    duration.FromNanoseconds(parse_duration(text))
    return Scalar(primitive=Primitive(duration=duration))


def _struct(text: str) -> Scalar:
    try:
        return Scalar(generic=json_format.Parse(text, Struct()))
    except json_format.ParseError as error:
        raise InvalidInput(f"it is no JSON object: {error}") from error


_READERS: dict[SimpleType.ValueType, Callable[[str], Scalar]] = {
    SimpleType.NONE: lambda _: Scalar(none_type=Void()),
    SimpleType.INTEGER: _integer,
    SimpleType.FLOAT: _float,
    SimpleType.STRING: lambda text: Scalar(primitive=Primitive(string_value=text)),
    SimpleType.BOOLEAN: _boolean,
    SimpleType.DATETIME: _datetime,
    SimpleType.DURATION: _duration,
    SimpleType.BINARY: lambda text: Scalar(binary=Binary(value=text.encode())),
    SimpleType.ERROR: lambda text: Scalar(error=Error(message=text)),
    SimpleType.STRUCT: _struct,
}
