"""Pydantic models, by way of their own JSON."""

from __future__ import annotations

import json
from typing import Any

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.json_format import MessageToJson
from pydantic import BaseModel, ValidationError

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import (
    TypeTransformer,
    TypeTransformerFailedError,
    get_underlying_type,
    packed,
    unpacked,
)
from flyte_kit.transformers.old_encoding import as_struct, wants_old_encoding
from flyte_kit.transformers.structure_types import struct_type


class PydanticTransformer(TypeTransformer[BaseModel]):
    """Models of pydantic 2."""

    def __init__(self) -> None:
        super().__init__("Pydantic Transformer", BaseModel, enable_type_assertions=False)

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the model's schema and the types of its fields."""
        bare = get_underlying_type(t)
        return struct_type(
            bare.model_json_schema(), {name: field.annotation for name, field in bare.model_fields.items()}
        )

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write the model's JSON as MessagePack."""
        if not isinstance(python_val, BaseModel):
            raise TypeTransformerFailedError(f"Expected a model of {python_type}, got {type(python_val)}")
        plain = json.loads(python_val.model_dump_json())
        return as_struct(plain) if wants_old_encoding() else packed(plain)

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Read and validate a model."""
        bare = get_underlying_type(expected_python_type)
        match lv.scalar.WhichOneof("value"):
            case "binary":
                text = json.dumps(unpacked(lv.scalar.binary))
            case "generic":
                text = MessageToJson(lv.scalar.generic)
            case _:
                self.refuse(lv, bare)
        try:
            return bare.model_validate_json(text, strict=False, context={"deserialize": True})
        except ValidationError as error:
            raise TypeTransformerFailedError(f"The data does not fit {bare.__name__}: {error}") from error


TypeEngine.register(PydanticTransformer())
