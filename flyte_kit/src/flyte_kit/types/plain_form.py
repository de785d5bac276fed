"""Files, folders and tables inside of structures: a small dictionary, for dataclasses and pydantic models alike."""

from __future__ import annotations

import importlib
from typing import Any

from flyteidl.core.literals_pb2 import Literal

from flyte_kit.core.context_manager import FlyteContextManager

_TEXT = {"type": "string"}
_NOTHING = {"type": "null"}
_PATH = {"anyOf": [_TEXT, {"format": "path", "type": "string"}], "default": None, "title": "Path"}
_METADATA = {
    "anyOf": [{"additionalProperties": _TEXT, "type": "object"}, _NOTHING],
    "default": None,
    "title": "Metadata",
}
_PROPERTIES: dict[str, dict[str, Any]] = {
    "FlyteFile": {"path": _PATH, "metadata": _METADATA},
    "FlyteDirectory": {"path": _PATH},
    "StructuredDataset": {
        "uri": {"anyOf": [_TEXT, _NOTHING], "default": None, "title": "Uri"},
        "file_format": {"anyOf": [_TEXT, _NOTHING], "default": "", "title": "File Format"},
    },
}


def _engine() -> Any:
    return importlib.import_module("flyte_kit.core.type_engine").TypeEngine


def to_plain(value: Any) -> dict[str, Any]:
    """Return what a structure holds for a value; a local file is uploaded first."""
    engine, context = _engine(), FlyteContextManager.current_context()
    python_type = type(value)
    literal: Literal = engine.to_literal(context, value, python_type, engine.to_literal_type(python_type))
    if literal.scalar.WhichOneof("value") == "structured_dataset":
        table = literal.scalar.structured_dataset
        return {"uri": table.uri, "file_format": table.metadata.structured_dataset_type.format}
    plain: dict[str, Any] = {"path": literal.scalar.blob.uri}
    if literal.metadata:
        plain["metadata"] = dict(literal.metadata)
    return plain


def from_plain(cls: type, plain: dict[str, Any]) -> Any:
    """Return the value that a structure holds."""
    return _engine().get_transformer(cls).from_plain(FlyteContextManager.current_context(), plain, cls)


def model_schema(cls: type, name: str) -> Any:
    """Return pydantic's core schema of a class that travels as a small dictionary.

    The JSON schema is that of flytekit's class, which is a pydantic-aware dataclass.
    """
    core = importlib.import_module("pydantic_core.core_schema")
    description = {"properties": _PROPERTIES[name], "title": name, "type": "object"}

    def read(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            value = {"path": value} if "path" in _PROPERTIES[name] else {"uri": value}
        if not isinstance(value, dict):
            raise ValueError(f"a {name} is text or a dictionary, not {type(value).__name__}")  # noqa: TRY004 - as flytekit raises
        return from_plain(cls, value)

    return core.no_info_plain_validator_function(
        read,
        ref=f"{cls.__module__}.{name}:{id(cls)}",
        metadata={"pydantic_js_functions": [lambda schema, handler: dict(description)]},
        serialization=core.plain_serializer_function_ser_schema(to_plain),
    )
