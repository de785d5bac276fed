"""The failure that a handler is told of."""

from __future__ import annotations

from typing import Any

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import Error, LiteralType, SimpleType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformer
from flyte_kit.types.error import FlyteError


class ErrorTransformer(TypeTransformer[FlyteError]):
    """FlyteError."""

    def __init__(self) -> None:
        super().__init__("FlyteError", FlyteError)

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the simple type of errors."""
        return LiteralType(simple=SimpleType.ERROR)

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write message and node."""
        literal = Literal()
        literal.scalar.error.CopyFrom(Error(message=python_val.message, failed_node_id=python_val.failed_node_id))
        return literal

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> FlyteError:
        """Read message and node."""
        if lv.scalar.WhichOneof("value") != "error":
            self.refuse(lv, FlyteError)
        return FlyteError(message=lv.scalar.error.message, failed_node_id=lv.scalar.error.failed_node_id)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return FlyteError for the simple type of errors."""
        if literal_type.WhichOneof("type") == "simple" and literal_type.simple == SimpleType.ERROR:
            return FlyteError
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")


TypeEngine.register(ErrorTransformer())
