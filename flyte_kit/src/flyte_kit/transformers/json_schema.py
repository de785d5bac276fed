"""The JSON schema of a dataclass, as mashumaro makes it (draft 2020-12)."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import inspect
import os
import pathlib
import types
import typing
import uuid
from typing import Any, get_args, get_origin

from flyte_kit.core.type_transformer import get_underlying_type
from flyte_kit.transformers.structures import BeyondRules, encode, uses_options

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    bytes: {"type": "string", "format": "base64"},
    bytearray: {"type": "string", "format": "base64"},
    type(None): {"type": "null"},
    None: {"type": "null"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "number", "format": "time-delta"},
    decimal.Decimal: {"type": "string", "format": "decimal"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    os.PathLike: {"type": "string", "format": "path"},
    Any: {},
    object: {},
}
_ARRAYS = {list, set, frozenset, collections.abc.Sequence, collections.abc.Set, collections.deque}
_OBJECTS = {dict, collections.abc.Mapping, collections.OrderedDict}


def json_schema(t: Any) -> Schema:
    """Return the schema of a dataclass.

    :raises BeyondRules: if one of its types has no rule here
    """
    return _schema(t, ())


def _schema(python_type: Any, above: tuple[Any, ...]) -> Schema:
    t = get_underlying_type(python_type)
    origin, arguments = get_origin(t) or t, get_args(t)
    if origin is typing.Union or isinstance(t, types.UnionType):
        return {"anyOf": [_schema(variant, above) for variant in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in _OBJECTS:
        if len(arguments) != 2:
            return {"type": "object"}
        inner = {"additionalProperties": _schema(arguments[1], above), "propertyNames": _schema(arguments[0], above)}
        return {"type": "object", **{name: each for name, each in inner.items() if each}}
    if origin is tuple:
        return _tuple_schema(arguments, above)
    if origin in _ARRAYS:
        return _array_schema(origin, arguments, above)
    try:
        if t in _PLAIN:
            return dict(_PLAIN[t])
    except TypeError as error:
        raise BeyondRules(f"{t} has no rule") from error
    if inspect.isclass(t):
        return _class_schema(t, above)
    raise BeyondRules(f"{t} has no rule")


def _array_schema(origin: Any, arguments: tuple[Any, ...], above: tuple[Any, ...]) -> Schema:
    result: Schema = {"type": "array"}
    items = _schema(arguments[0], above) if arguments else {}
    if items:
        result["items"] = items
    if origin in {set, frozenset, collections.abc.Set}:
        result["uniqueItems"] = True
    return result


def _tuple_schema(arguments: tuple[Any, ...], above: tuple[Any, ...]) -> Schema:
    if not arguments:
        return {"type": "array"}
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return _array_schema(tuple, arguments[:1], above)
    each = [_schema(argument, above) for argument in arguments]
    return {"type": "array", "prefixItems": each, "maxItems": len(each), "minItems": len(each)}


def _class_schema(t: type, above: tuple[Any, ...]) -> Schema:
    if t in above:
        raise BeyondRules(f"{t} holds itself")
    if issubclass(t, enum.Enum):
        return {"enum": [member.value for member in t]}
    if issubclass(t, pathlib.PurePath):
        return {"type": "string", "format": "path"}
    if dataclasses.is_dataclass(t):
        return _dataclass_schema(t, (*above, t))
    if issubclass(t, tuple) and hasattr(t, "_fields"):
        return _named_tuple_schema(t, above)
    raise BeyondRules(f"{t} has no rule")


def _named_tuple_schema(t: Any, above: tuple[Any, ...]) -> Schema:
    hints, defaults = typing.get_type_hints(t), t._field_defaults
    each = []
    for name in t._fields:
        schema = _schema(hints.get(name, Any), above)
        each.append({**schema, "default": encode(defaults[name], hints[name])} if name in defaults else schema)
    return {"type": "array", "prefixItems": each, "maxItems": len(each), "minItems": len(each)}


def _dataclass_schema(t: Any, above: tuple[Any, ...]) -> Schema:
    if uses_options(t):
        raise BeyondRules(f"{t} has options of mashumaro")
    hints = typing.get_type_hints(t)
    properties: Schema = {}
    required: list[str] = []
    for field in dataclasses.fields(t):
        if not field.init:
            continue
        hint = hints.get(field.name, field.type)
        schema = _schema(hint, above)
        if field.default is not dataclasses.MISSING:
            schema["default"] = encode(field.default, hint) if field.default is not None else None
        elif field.default_factory is dataclasses.MISSING:
            required.append(field.name)
        properties[field.name] = schema
    result: Schema = {"type": "object", "title": t.__name__}
    if properties:
        result["properties"] = properties
    result["additionalProperties"] = False
    if required:
        result["required"] = required
    return result
