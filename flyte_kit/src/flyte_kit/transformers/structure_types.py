"""The type on the wire of a structure: a JSON schema for people, a type per field for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_kit.core.constants import CACHE_KEY_METADATA, MESSAGEPACK, SERIALIZATION_FORMAT
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.loggers import logger


def struct_type(schema: Mapping[str, Any] | None = None, fields: Mapping[str, Any] | None = None) -> LiteralType:
    """Return the type of a structure.

    :param schema: JSON schema; left out without one
    :param fields: Python type by name; what has no type on the wire is left out
    """
    result = LiteralType(simple=SimpleType.STRUCT)
    result.annotation.annotations.update({CACHE_KEY_METADATA: {SERIALIZATION_FORMAT: MESSAGEPACK}})
    if schema is not None:
        result.metadata.update(schema)
    if fields is not None:
        result.structure.SetInParent()
        for name, python_type in fields.items():
            try:
                field_type = TypeEngine.to_literal_type(python_type)
            except (ValueError, TypeError, AssertionError, RecursionError) as error:
                logger.debug("Field %s of type %s has no type on the wire: %s", name, python_type, error)
                continue
            result.structure.dataclass_type[name].CopyFrom(field_type)
    return result
