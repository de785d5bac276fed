"""Compares the JSON schemas that the SDK puts into the metadata of a STRUCT type.

A dataclass may go where another one is expected if it has every field that is required there, with types that fit;
names and descriptions do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

_MAX_DEPTH = 32
"""Below this, recursive types are taken to fit."""


def schema_fits(upstream: Struct, downstream: Struct) -> bool:
    """Tell whether values that the upstream schema describes fit the downstream one."""
    if upstream == downstream:
        return True
    given, wanted = MessageToDict(upstream), MessageToDict(downstream)
    return _Comparison(given, wanted).fits(given, wanted, 0)


class _Comparison:
    def __init__(self, given_root: Mapping[str, Any], wanted_root: Mapping[str, Any]) -> None:
        self._given_root = given_root
        self._wanted_root = wanted_root

    def fits(self, given: Any, wanted: Any, depth: int) -> bool:
        given, wanted = _resolve(given, self._given_root), _resolve(wanted, self._wanted_root)
        if depth > _MAX_DEPTH or not isinstance(given, dict) or not isinstance(wanted, dict) or not wanted:
            return True
        alternatives = wanted.get("anyOf") or wanted.get("oneOf")
        if alternatives:
            choices = given.get("anyOf") or given.get("oneOf") or [given]
            return all(any(self.fits(choice, each, depth + 1) for each in alternatives) for choice in choices)
        if "enum" in wanted and "enum" in given and not set(map(str, given["enum"])) <= set(map(str, wanted["enum"])):
            return False
        if not _types_fit(given.get("type"), wanted.get("type")):
            return False
        return self._parts_fit(given, wanted, depth + 1)

    def _parts_fit(self, given: dict[str, Any], wanted: dict[str, Any], depth: int) -> bool:
        have, need = given.get("properties", {}), wanted.get("properties", {})
        if any(name not in have for name in wanted.get("required", ()) if name in need):
            return False
        if not all(self.fits(have[name], schema, depth) for name, schema in need.items() if name in have):
            return False
        return all(
            self.fits(given[part], wanted[part], depth)
            for part in ("items", "additionalProperties")
            if part in given and part in wanted
        )


def _resolve(schema: Any, root: Mapping[str, Any]) -> Any:
    for _ in range(_MAX_DEPTH):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        schema = root
        for step in reference[2:].split("/"):
            schema = schema.get(step, {}) if isinstance(schema, dict) else {}
    return schema


def _types_fit(given: Any, wanted: Any) -> bool:
    if given is None or wanted is None:
        return True
    have = set(given) if isinstance(given, list) else {given}
    need = set(wanted) if isinstance(wanted, list) else {wanted}
    if "number" in need:
        need.add("integer")
    return have <= need
