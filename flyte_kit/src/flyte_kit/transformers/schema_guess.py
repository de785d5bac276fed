"""A dataclass made from the JSON schema of a structure, for clients that know a task only from the wire."""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import Any, Optional

from flyteidl.core.types_pb2 import LiteralType, SimpleType
from google.protobuf.json_format import MessageToDict

_PLAIN = {"string": str, "integer": int, "number": float, "boolean": bool, "null": type(None)}
_made: dict[str, Any] = {}


def guess(literal_type: LiteralType) -> Any:
    """Return a dataclass of the schema's fields, the same one for the same type; None if there is no schema of one."""
    if literal_type.WhichOneof("type") != "simple" or literal_type.simple != SimpleType.STRUCT:
        return None
    if not literal_type.HasField("metadata"):
        return None
    schema = MessageToDict(literal_type.metadata)
    if "$ref" in schema and "definitions" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        schema = {"title": name, **schema["definitions"][name], "$defs": schema["definitions"]}
    if "properties" not in schema and schema.get("type") != "object":
        return None
    key = str(literal_type.metadata)
    if key not in _made:
        _made[key] = _dataclass(schema, schema.get("$defs", {}))
    return _made[key]


def _dataclass(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    required = schema.get("required")
    fields: list[Any] = []
    optional: list[Any] = []
    for name, each in schema.get("properties", {}).items():
        python_type = _python_type(each, definitions)
        if required is None or name in required:
            fields.append((name, python_type))
        else:
            factory = functools.partial(copy.deepcopy, each.get("default"))
            optional.append((name, python_type, dataclasses.field(default_factory=factory)))
    return dataclasses.make_dataclass(str(schema.get("title") or "Structure"), [*fields, *optional])


def _python_type(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _python_type(definitions[str(schema["$ref"]).rsplit("/", 1)[-1]], definitions)
    if "anyOf" in schema:
        variants = [_python_type(each, definitions) for each in schema["anyOf"]]
        some = [variant for variant in variants if variant is not type(None)]
        first = some[0] if len(some) == 1 else Any
        return Optional[first] if len(some) < len(variants) else first  # noqa: UP045 - a value
    if "enum" in schema:
        return str
    kind = schema.get("type")
    if kind == "array":
        return list[_python_type(schema["items"], definitions)] if "items" in schema else list  # type: ignore[misc]
    if kind == "object":
        if "properties" in schema:
            return _dataclass(schema, definitions)
        value = schema.get("additionalProperties")
        return dict[str, _python_type(value, definitions)] if isinstance(value, dict) else dict  # type: ignore[misc]
    if kind == "number" and schema.get("format") == "integer":
        return int
    return _PLAIN.get(str(kind), Any)
