"""Protobuf messages, as a Struct whose type names their class."""

from __future__ import annotations

import importlib
from typing import Any

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType, SimpleType
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_transformer import TypeTransformer

PB_FIELD_KEY = "pb_type"


class ProtobufTransformer(TypeTransformer[Message]):
    """Subclasses of ``google.protobuf.message.Message``."""

    PB_FIELD_KEY = PB_FIELD_KEY

    def __init__(self) -> None:
        super().__init__("Protobuf-Transformer", Message)

    @staticmethod
    def tag(expected_python_type: type) -> str:
        """Return a class's full name."""
        return f"{expected_python_type.__module__}.{expected_python_type.__name__}"

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a structure that names the class."""
        result = LiteralType(simple=SimpleType.STRUCT)
        result.metadata.update({PB_FIELD_KEY: self.tag(t)})
        return result

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write a message in its JSON form."""
        struct = Struct()
        struct.update(MessageToDict(python_val))
        literal = Literal()
        literal.scalar.generic.CopyFrom(struct)
        return literal

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Read a message from its JSON form."""
        if lv.scalar.WhichOneof("value") != "generic":
            self.refuse(lv, expected_python_type)
        try:
            return ParseDict(MessageToDict(lv.scalar.generic), expected_python_type())
        except ParseError:
            self.refuse(lv, expected_python_type)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Load the class that the type names."""
        if literal_type.simple == SimpleType.STRUCT and PB_FIELD_KEY in literal_type.metadata.fields:
            module, _, name = str(literal_type.metadata[PB_FIELD_KEY]).rpartition(".")
            return getattr(importlib.import_module(module), name)
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")
