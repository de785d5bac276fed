"""The encodings that one FlyteWorkflow mixes; which part has which one is upstream's choice."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value


def jsonpb(message: Message) -> dict[str, Any]:
    """Return protobuf's own JSON: lowerCamelCase, enums by name, 64-bit integers as strings, defaults left out."""
    result: dict[str, Any] = MessageToDict(message)
    return result


def go_struct(message: Message) -> dict[str, Any]:
    """Return what Go's ``encoding/json`` makes of a generated struct: snake_case, enums by number, unset left out.

    Not for messages with a oneof, which Go prints under the names of its wrapper types; upstream puts none here.
    """
    return {field.name: _go_value(field, value) for field, value in message.ListFields()}


def _go_value(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is None:
        return list(value) if field.is_repeated else value
    if field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name["value"]
        return {key: _go_value(entry, item) for key, item in value.items()}
    if field.is_repeated:
        return [_go_message(item) for item in value]
    return _go_message(value)


def _go_message(message: Message) -> Any:
    # Go's type for free-form JSON prints itself as such.
    if isinstance(message, Struct | Value | ListValue):
        return MessageToDict(message)
    return go_struct(message)


def go_duration(duration: Duration) -> str:
    """Return a duration as Go prints it: ``1h0m0s``, ``1.5s``, ``200ms``, ``0s``."""
    total = duration.ToNanoseconds()
    if total == 0:
        return "0s"
    sign, total = ("-", -total) if total < 0 else ("", total)
    if total < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if total >= size:
                return f"{sign}{_decimal(total, size)}{unit}"
    minutes, rest = divmod(total, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 1_000_000_000)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else f"{sign}{text}"


def _decimal(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    if not rest:
        return str(whole)
    digits = len(str(size)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")
