"""Values of inputs and outputs as plain data, and as one line."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgpack
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar
from google.protobuf.json_format import MessageToDict

from flyte_core.literals import MSGPACK

LONGEST = 200
"""Characters of a value in one line; the rest is cut."""


def plain_map(literals: LiteralMap) -> dict[str, Any]:
    """Return values by name, as JSON can hold them."""
    return {name: plain(literal) for name, literal in sorted(literals.literals.items())}


def plain(literal: Literal) -> Any:
    """Return a value as JSON can hold it: times in ISO form, durations in seconds, files and tables by their URI."""
    match literal.WhichOneof("value"):
        case "scalar":
            return _scalar(literal.scalar)
        case "collection":
            return [plain(each) for each in literal.collection.literals]
        case "map":
            return plain_map(literal.map)
        case "offloaded_metadata":
            return literal.offloaded_metadata.uri
        case _:
            return None


def literal_text(literal: Literal) -> str:
    """Return a value in one line, cut where it is long; text without quotes."""
    value = plain(literal)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split("\n"))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _scalar(scalar: Scalar) -> Any:
    match scalar.WhichOneof("value"):
        case "primitive":
            return _primitive(scalar.primitive)
        case "union":
            return plain(scalar.union.value)
        case "blob":
            return scalar.blob.uri
        case "structured_dataset":
            return scalar.structured_dataset.uri
        case "schema":
            return scalar.schema.uri
        case "generic":
            return MessageToDict(scalar.generic)
        case "binary":
            return _binary(scalar)
        case "error":
            return {"failed_node_id": scalar.error.failed_node_id, "message": scalar.error.message}
        case _:
            return None


def _primitive(primitive: Primitive) -> Any:
    match primitive.WhichOneof("value"):
        case "datetime":
            return primitive.datetime.ToJsonString()
        case "duration":
            return primitive.duration.ToTimedelta().total_seconds()
        case None:
            return None
        case field:
            return getattr(primitive, field)


def _binary(scalar: Scalar) -> Any:
    if scalar.binary.tag != MSGPACK:
        return base64.b64encode(scalar.binary.value).decode()
    return _as_json(msgpack.unpackb(scalar.binary.value, raw=False, strict_map_key=False))


def _as_json(value: Any) -> Any:
    """Return unpacked data with what JSON lacks (bytes, keys that are no text) in its nearest form."""
    if isinstance(value, dict):
        return {str(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
