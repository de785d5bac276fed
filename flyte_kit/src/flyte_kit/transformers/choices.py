"""One of a few values: enums and ``typing.Literal``."""

from __future__ import annotations

import datetime
import enum
import inspect
import typing
from typing import Any, get_args

from flyteidl.core.literals_pb2 import Literal, Primitive, Scalar
from flyteidl.core.types_pb2 import EnumType, LiteralType, SimpleType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import (
    TypeTransformer,
    TypeTransformerFailedError,
    get_underlying_type,
    is_annotated,
    unpacked,
)

_SIMPLE = {
    str: SimpleType.STRING,
    int: SimpleType.INTEGER,
    float: SimpleType.FLOAT,
    bool: SimpleType.BOOLEAN,
    datetime.datetime: SimpleType.DATETIME,
    datetime.timedelta: SimpleType.DURATION,
}


class EnumTransformer(TypeTransformer[enum.Enum]):
    """Enums whose values are text."""

    def __init__(self) -> None:
        super().__init__("DefaultEnumTransformer", enum.Enum)

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the values in their order."""
        if is_annotated(t):
            raise ValueError(f"FlyteAnnotations are not possible on enums: {t}")
        values = [member.value for member in t]
        if not values or not isinstance(values[0], str):
            raise TypeTransformerFailedError(f"Only enums whose values are text are supported: {t}")
        return LiteralType(enum_type=EnumType(values=values))

    def assert_type(self, t: Any, v: Any) -> None:
        """Take a member, or the text of one."""
        value = v.value if isinstance(v, enum.Enum) else v
        if value not in [member.value for member in t]:
            raise TypeTransformerFailedError(f"Value {v} is not in Enum {t}")

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write the member's text."""
        python_type = get_underlying_type(python_type)
        value = python_val.value if isinstance(python_val, enum.Enum) else python_val
        if not isinstance(value, str):
            raise TypeTransformerFailedError(f"Expected an enum or matching string, got {type(python_val)}")
        self.assert_type(python_type, value)
        return Literal(scalar=Scalar(primitive=Primitive(string_value=value)))

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Return the member of a text."""
        python_type = get_underlying_type(expected_python_type)
        if lv.scalar.WhichOneof("value") == "binary":
            return python_type(unpacked(lv.scalar.binary))
        if lv.scalar.primitive.WhichOneof("value") != "string_value":
            self.refuse(lv, python_type)
        return python_type(lv.scalar.primitive.string_value)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Make an enum of the values."""
        if literal_type.WhichOneof("type") == "enum_type":
            return enum.Enum("DynamicEnum", {value: value for value in literal_type.enum_type.values})
        raise ValueError(f"Enum transformer cannot reverse {literal_type}")


class LiteralTypeTransformer(TypeTransformer[Any]):
    """``typing.Literal``: the base type, and the values as an annotation."""

    def __init__(self) -> None:
        super().__init__("LiteralTypeTransformer", typing.Literal)

    @staticmethod
    def get_base_type(t: Any) -> type:
        """Return the one type of the values."""
        values = get_args(t)
        kinds = {type(value) for value in values}
        if len(kinds) != 1:
            raise TypeTransformerFailedError(f"All values of {t} must be of one type")
        return kinds.pop()

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the base type with the values."""
        base = self.get_base_type(t)
        if base not in _SIMPLE:
            raise TypeTransformerFailedError(f"Unsupported type: {base}")
        result = LiteralType(simple=_SIMPLE[base])
        result.annotation.annotations.update({"literal_values": list(get_args(t))})
        return result

    def assert_type(self, t: Any, v: Any) -> None:
        """Check the base type, as upstream does: values are not compared."""
        base = self.get_base_type(t)
        TypeEngine.get_transformer(base).assert_type(base, v)

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write a value of the base type."""
        base = self.get_base_type(python_type)
        return TypeEngine.get_transformer(base).to_literal(ctx, python_val, base, expected)

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Read a value of the base type."""
        base = self.get_base_type(expected_python_type)
        return TypeEngine.get_transformer(base).to_python_value(ctx, lv, base)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return the Literal of the values in the annotation."""
        values = literal_type.annotation.annotations.fields.get("literal_values")
        if values is None or inspect.isclass(values):
            raise ValueError(f"LiteralType transformer cannot reverse {literal_type}")
        return typing.Literal[tuple(literal_type.annotation.annotations["literal_values"])]
