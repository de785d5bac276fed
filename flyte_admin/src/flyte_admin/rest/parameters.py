"""Fields of a request from the path and the query of a URL, by dotted name."""

from __future__ import annotations

import base64
import binascii
from typing import Any, cast
from urllib.parse import parse_qsl

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from flyte_core.errors import InvalidInput

MOST_PARAMETERS = 1000
"""Parameters of one query."""

_BOOLEANS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
_FLOATS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)


def read_query(query: bytes, message: Message) -> None:
    """Set what the query names: ``sort_by.key=x``, ``sortBy.key=x``, repeated keys for lists.

    A parameter that is not a field is ignored, as by upstream's gateway.

    :raises InvalidInput: if a value does not fit its field
    """
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="strict"
        )
    except ValueError as error:  # not ASCII, not UTF-8 once decoded, too many
        raise InvalidInput(f"the query cannot be read: {str(error)[:256]}") from error
    for path, text in pairs:
        set_field(message, path, text, ignore_unknown=True)


def set_field(message: Message, path: str, text: str, *, ignore_unknown: bool = False) -> None:
    """Set one field from its text.

    :param path: dotted, each part in its proto or lowerCamel name
    :raises InvalidInput: if the text does not fit, or the field is unknown
    """
    *parents, last = path.split(".")
    fields: list[FieldDescriptor] = []
    descriptor = cast(Descriptor | None, message.DESCRIPTOR)
    for part in (*parents, last):
        field = _field(descriptor, part) if descriptor is not None else None
        if field is None:
            if ignore_unknown:
                return
            raise InvalidInput(f"{path[:256]!r} is not a field of {message.DESCRIPTOR.full_name}", field=path[:256])
        fields.append(field)
        descriptor = None if field.is_repeated else field.message_type
    for field in fields[:-1]:
        message = getattr(message, field.name)
    _assign(message, fields[-1], text, path)


def _field(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    return descriptor.fields_by_name.get(name) or descriptor.fields_by_camelcase_name.get(name)


def _assign(message: Message, field: FieldDescriptor, text: str, path: str) -> None:
    try:
        if field.message_type is not None:
            if field.is_repeated:
                raise InvalidInput(f"{path} cannot be given in a URL", field=path)
            ParseDict({field.name: text}, message)  # times, durations and wrappers are strings in JSON
            return
        value = _value(field, text)
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)
    except (ValueError, TypeError, ParseError, binascii.Error) as error:
        raise InvalidInput(f"invalid value for {path}: {text[:256]!r}", field=path) from error


def _value(field: FieldDescriptor, text: str) -> Any:
    if field.enum_type is not None:
        named = field.enum_type.values_by_name.get(text)
        number = named.number if named else int(text)
        if number not in field.enum_type.values_by_number:
            raise ValueError(text)
        return number
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
            padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
            return base64.b64decode(padded, validate=True)
        case FieldDescriptor.CPPTYPE_STRING:
            return text
        case FieldDescriptor.CPPTYPE_BOOL:
            if text.lower() not in _BOOLEANS:
                raise ValueError(text)
            return _BOOLEANS[text.lower()]
        case cpp_type if cpp_type in _FLOATS:
            return float(text)
        case _:
            return int(text)
