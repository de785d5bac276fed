"""Numbers, text, truth values, times and None."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from flyteidl.core.literals_pb2 import Literal, Primitive, Scalar, Void
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_transformer import (
    TypeTransformer,
    TypeTransformerFailedError,
    get_underlying_type,
    structures,
    unpacked,
)

UTC = datetime.UTC
_TIMES = (datetime.datetime, datetime.date, datetime.timedelta)


class SimpleTransformer(TypeTransformer[Any]):
    """A type with one literal type, two functions and no further cases.

    :param to_literal_transformer: value to literal
    :param from_literal_transformer: literal to value; may return another type, which is refused
    """

    def __init__(
        self,
        name: str,
        t: type,
        lt: LiteralType,
        to_literal_transformer: Callable[[Any], Literal],
        from_literal_transformer: Callable[[Literal], Any],
    ) -> None:
        super().__init__(name, t)
        self._type, self._lt = t, lt
        self._write, self._read = to_literal_transformer, from_literal_transformer

    def assert_type(self, t: Any, v: Any) -> None:
        """Check that a value is of exactly this type: a bool is no int."""
        if type(v) is not self._type:
            raise TypeTransformerFailedError(f"Expected value of type {self._type} but got '{v}' of type {type(v)}")

    def get_literal_type(self, t: Any = None) -> LiteralType:
        """Return a copy of the one type."""
        copy = LiteralType()
        copy.CopyFrom(self._lt)
        return copy

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write a value of exactly this type."""
        self.assert_type(python_type, python_val)
        return self._write(python_val)

    def from_binary_idl(self, binary_idl_object: Any, expected_python_type: Any) -> Any:
        """Read one value out of a structure; times are text there."""
        value = unpacked(binary_idl_object)
        if expected_python_type in _TIMES:
            return structures().decode(value, expected_python_type)
        if type(value) is not expected_python_type:
            raise TypeTransformerFailedError(f"Expected value of type {expected_python_type} but got {value!r}")
        return value

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Read a value of exactly this type."""
        wanted = get_underlying_type(expected_python_type)
        if wanted is not self._type and not (wanted is None and self._type is type(None)):
            raise TypeTransformerFailedError(f"Cannot convert to type {wanted}, only {self._type} is supported")
        if lv.WhichOneof("value") != "scalar":
            self.refuse(lv, self._type)
        if lv.scalar.WhichOneof("value") == "binary":
            return self.from_binary_idl(lv.scalar.binary, self._type)
        value = self._read(lv)
        if type(value) is not self._type:
            self.refuse(lv, self._type)
        return value

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return the type for its simple type."""
        plain = literal_type.WhichOneof("type") == "simple" and not literal_type.HasField("metadata")
        if plain and literal_type.simple == self._lt.simple and not literal_type.HasField("structure"):
            return self._type
        if plain and literal_type.simple == self._lt.simple and literal_type.structure.tag == self.name:
            return self._type
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")


def _simple(number: int) -> LiteralType:
    return LiteralType(simple=number)


def _primitive(**value: Any) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(**value)))


def _kind(lv: Literal) -> str | None:
    found: str | None = lv.scalar.primitive.WhichOneof("value")
    return found


def _read_int(lv: Literal) -> int | None:
    # JavaScript has one kind of number: consoles send 3 as 3.0.
    kind = _kind(lv)
    if kind == "integer":
        return int(lv.scalar.primitive.integer)
    return int(lv.scalar.primitive.float_value) if kind == "float_value" else None


def _read_float(lv: Literal) -> float | None:
    kind = _kind(lv)
    if kind == "float_value":
        return float(lv.scalar.primitive.float_value)
    return float(lv.scalar.primitive.integer) if kind == "integer" else None


def _read(kind: str) -> Callable[[Literal], Any]:
    return lambda lv: getattr(lv.scalar.primitive, kind) if _kind(lv) == kind else None


def _write_datetime(value: datetime.datetime) -> Literal:
    literal = Literal()
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    literal.scalar.primitive.datetime.FromDatetime(aware.astimezone(UTC))
    return literal


def _read_datetime(lv: Literal) -> datetime.datetime | None:
    if _kind(lv) != "datetime":
        return None
    found: datetime.datetime = lv.scalar.primitive.datetime.ToDatetime(tzinfo=UTC)
    return found


def _write_date(value: datetime.date) -> Literal:
    return _write_datetime(datetime.datetime.combine(value, datetime.time.min))


def _read_date(lv: Literal) -> datetime.date | None:
    found = _read_datetime(lv)
    return found.date() if found else None


def _write_timedelta(value: datetime.timedelta) -> Literal:
    literal = Literal()
    literal.scalar.primitive.duration.FromTimedelta(value)
    return literal


def _read_timedelta(lv: Literal) -> datetime.timedelta | None:
    return lv.scalar.primitive.duration.ToTimedelta() if _kind(lv) == "duration" else None


def _read_none(lv: Literal) -> bool | None:
    return None if lv.scalar.WhichOneof("value") == "none_type" else False


SIMPLE = (
    SimpleTransformer("int", int, _simple(SimpleType.INTEGER), lambda x: _primitive(integer=x), _read_int),
    SimpleTransformer("float", float, _simple(SimpleType.FLOAT), lambda x: _primitive(float_value=x), _read_float),
    SimpleTransformer(
        "str", str, _simple(SimpleType.STRING), lambda x: _primitive(string_value=x), _read("string_value")
    ),
    SimpleTransformer("datetime", datetime.datetime, _simple(SimpleType.DATETIME), _write_datetime, _read_datetime),
    SimpleTransformer("date", datetime.date, _simple(SimpleType.DATETIME), _write_date, _read_date),
    SimpleTransformer("timedelta", datetime.timedelta, _simple(SimpleType.DURATION), _write_timedelta, _read_timedelta),
    SimpleTransformer("bool", bool, _simple(SimpleType.BOOLEAN), lambda x: _primitive(boolean=x), _read("boolean")),
    SimpleTransformer(
        "none", type(None), _simple(SimpleType.NONE), lambda x: Literal(scalar=Scalar(none_type=Void())), _read_none
    ),
)
"""In the order in which types on the wire are guessed."""
