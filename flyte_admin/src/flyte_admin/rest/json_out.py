"""Protobuf messages as the JSON that upstream's gateway prints.

Every field is there: unset messages as null, empty lists and maps, zeros. Left out are only the arms of a oneof that
are not set. 64-bit numbers are strings, enums their names, bytes base64. Keys are proto names or lowerCamel names.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

_Convert = Callable[[Any, bool], Any]

_WRAPPED = ("Bool", "String", "Bytes", "Int32", "Int64", "UInt32", "UInt64", "Float", "Double")
_SPECIAL = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue"),
        *(f"{kind}Value" for kind in _WRAPPED),
    )
)
_LARGE = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
    }
)
_INTEGRAL_BELOW = 1e21
"""Whole floats below this are printed without a fraction or exponent, as Go does."""


class _Field(NamedTuple):
    name: str
    proto_key: str
    camel_key: str
    optional: bool  # an arm of a oneof, a proto3 optional: left out unless it is set
    presence: bool  # a message: null unless it is set
    convert: _Convert


def to_json(message: Message, *, camel: bool) -> bytes:
    """Return the message as JSON.

    :param camel: lowerCamel keys instead of the names in the proto file
    """
    return json.dumps(_message(message, camel), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _message(message: Message, camel: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, proto_key, camel_key, optional, presence, convert in _fields(message.DESCRIPTOR):
        key = camel_key if camel else proto_key
        if (optional or presence) and not message.HasField(name):
            if not optional:
                result[key] = None
            continue
        result[key] = convert(getattr(message, name), camel)
    return result


@cache
def _fields(descriptor: Descriptor) -> tuple[_Field, ...]:
    fields = []
    for field in descriptor.fields:
        is_message = field.message_type is not None and not field.is_repeated
        optional = field.containing_oneof is not None
        fields.append(_Field(field.name, field.name, field.json_name, optional, is_message, _converter(field)))
    return tuple(fields)


def _converter(field: FieldDescriptor) -> _Convert:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name["value"]
        key = field.message_type.fields_by_name["key"]
        convert, is_bool = _single(entry), key.type == FieldDescriptor.TYPE_BOOL

        def mapping(values: Mapping[Any, Any], camel: bool) -> dict[str, Any]:
            return {_map_key(name, is_bool): convert(values[name], camel) for name in sorted(values)}

        return mapping
    convert = _single(field)
    if field.is_repeated:
        return lambda values, camel: [convert(value, camel) for value in values]
    return convert


def _map_key(key: Any, is_bool: bool) -> str:
    return ("true" if key else "false") if is_bool else str(key)


def _single(field: FieldDescriptor) -> _Convert:
    if field.message_type is not None:
        return _message_converter(field.message_type)
    if field.enum_type is not None:
        return _enum_converter(field.enum_type)
    if field.type in _LARGE:
        return lambda value, _camel: str(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda value, _camel: base64.b64encode(value).decode()
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return lambda value, _camel: _float(value)
    return lambda value, _camel: value


def _message_converter(descriptor: Descriptor) -> _Convert:
    if descriptor.full_name == "google.protobuf.Any":
        return lambda value, camel: _any(value, camel)
    if descriptor.full_name in _SPECIAL:
        return lambda value, _camel: MessageToDict(value)
    return _message


def _enum_converter(descriptor: EnumDescriptor) -> _Convert:
    names = {number: value.name for number, value in descriptor.values_by_number.items()}
    return lambda value, _camel: names.get(value, value)


def _float(value: float) -> Any:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) < _INTEGRAL_BELOW else value


def _any(value: Any, camel: bool) -> dict[str, Any]:
    """An Any of a known type is its content; of an unknown one (a client's own) its bytes."""
    result: dict[str, Any] = {"@type": value.type_url}
    try:
        content = GetMessageClass(Default().FindMessageTypeByName(value.TypeName()))()
        content.ParseFromString(value.value)
    except (KeyError, DecodeError):
        return {**result, "value": base64.b64encode(value.value).decode()}
    if content.DESCRIPTOR.full_name in _SPECIAL:
        return {**result, "value": MessageToDict(content)}
    return {**result, **_message(content, camel)}
