"""Dataclasses: MessagePack of their fields; the type carries a JSON schema."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.json_format import MessageToDict

from flyte_core.errors import ConfigError
from flyte_kit.core.annotation import FlyteAnnotation
from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_transformer import (
    TypeTransformer,
    TypeTransformerFailedError,
    annotations_of,
    get_underlying_type,
    packed,
    unpacked,
)
from flyte_kit.loggers import logger
from flyte_kit.transformers import structures
from flyte_kit.transformers.json_schema import json_schema
from flyte_kit.transformers.old_encoding import as_struct, wants_old_encoding
from flyte_kit.transformers.structure_types import struct_type
from flyte_kit.transformers.unions import UnionTransformer


class DataclassTransformer(TypeTransformer[Any]):
    """Every dataclass that no other transformer claims."""

    def __init__(self) -> None:
        super().__init__("Object-Dataclass-Transformer", object)

    def assert_type(self, t: Any, v: Any) -> None:
        """Take an instance, a dictionary of its fields, or another dataclass with the same fields.

        The last one is what clients have who know the type from the wire only.
        """
        wanted = get_underlying_type(t)
        if isinstance(v, wanted):
            return
        if isinstance(v, dict):
            _check_fields(wanted, v)
        elif dataclasses.is_dataclass(v) and not isinstance(v, type):
            _check_alike(wanted, v)
        else:
            raise TypeTransformerFailedError(f"Expected value of type {wanted} but got {v!r} of type {type(v)}")

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the structure's schema and the types of its fields."""
        if any(isinstance(each, FlyteAnnotation) for each in annotations_of(t)):
            raise ValueError(f"FlyteAnnotations are not possible on dataclasses: {t}")
        bare = get_underlying_type(t)
        return struct_type(_schema(bare), structures.hints_of(bare))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write the fields."""
        if isinstance(python_val, dict):
            plain: Any = python_val
        elif dataclasses.is_dataclass(python_val) and not isinstance(python_val, type):
            plain = _plain(python_val, get_underlying_type(python_type))
        else:
            raise TypeTransformerFailedError(f"{type(python_val)} is no dataclass, as {python_type} is")
        return as_struct(plain) if wants_old_encoding() else packed(plain)

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Read the fields, from MessagePack or from the Struct that consoles send."""
        bare = get_underlying_type(expected_python_type)
        if not dataclasses.is_dataclass(bare):
            raise TypeTransformerFailedError(f"{bare} is no dataclass")
        match lv.scalar.WhichOneof("value"):
            case "binary":
                return _value(unpacked(lv.scalar.binary), bare)
            case "generic":
                return _value(MessageToDict(lv.scalar.generic), bare)
            case _:
                self.refuse(lv, bare)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return a dataclass of the schema."""
        found = structures.guess(literal_type)
        if found is None:
            raise ValueError(f"Dataclass transformer cannot reverse {literal_type}")
        return found


def _schema(t: type) -> dict[str, Any] | None:
    try:
        return json_schema(t)
    except structures.BeyondRules as error:
        logger.debug("%s: the schema is made by mashumaro (%s)", t, error)
        found: dict[str, Any] | None = _by_mashumaro().json_schema(t)
        return found


def _plain(value: Any, t: Any) -> Any:
    try:
        return structures.encode(value, t if isinstance(value, t) else type(value))
    except structures.BeyondRules:
        return _by_mashumaro().encode(value, t)


def _value(plain: Any, t: Any) -> Any:
    try:
        return structures.decode(plain, t)
    except structures.BeyondRules:
        return _by_mashumaro().decode(plain, t)


def _by_mashumaro() -> Any:
    if importlib.util.find_spec("mashumaro") is None:
        raise ConfigError("this dataclass needs mashumaro: pip install mashumaro")
    return importlib.import_module("flyte_kit.transformers.mashumaro_codec")


def _check_fields(wanted: Any, given: Mapping[str, Any]) -> None:
    hints = structures.hints_of(wanted)
    optional = {name for name, hint in hints.items() if UnionTransformer.is_optional_type(hint)}
    missing = set(hints) - optional - set(given)
    extra = set(given) - set(hints)
    if missing:
        raise TypeTransformerFailedError(
            f"The original fields are missing the following keys from the dataclass fields: {sorted(missing)}"
        )
    if extra:
        raise TypeTransformerFailedError(
            f"The original fields have the following extra keys that are not in dataclass fields: {sorted(extra)}"
        )
    for name, value in given.items():
        hint = hints[name]
        if UnionTransformer.is_optional_type(hint):
            hint = UnionTransformer.get_sub_type_in_optional(hint)
        if isinstance(value, dict) and dataclasses.is_dataclass(hint):
            _check_fields(hint, value)
        elif isinstance(hint, type) and value is not None and not isinstance(value, hint):
            raise TypeTransformerFailedError(f"Type of Val '{type(value)}' is not an instance of {hint}")


def _check_alike(wanted: Any, given: Any) -> None:
    hints = structures.hints_of(wanted)
    for name in structures.hints_of(type(given)):
        if name not in hints:
            raise TypeTransformerFailedError(
                f"Field '{name}' is not present in the expected dataclass fields {wanted.__name__}"
            )


DATACLASSES = DataclassTransformer()
