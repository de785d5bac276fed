"""Conditions over promises: comparisons joined by ``&`` and ``|``."""

from __future__ import annotations

import operator
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn, Union

from flyteidl.core.condition_pb2 import BooleanExpression, Operand
from flyteidl.core.condition_pb2 import ComparisonExpression as ComparisonMessage
from flyteidl.core.condition_pb2 import ConjunctionExpression as ConjunctionMessage
from flyteidl.core.literals_pb2 import Literal

from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.type_engine import TypeEngine

if TYPE_CHECKING:
    from flyte_kit.core.promise import Promise

Expression = Union["ComparisonExpression", "ConjunctionExpression"]


class ConjunctionOps(Enum):
    """How two conditions are joined."""

    AND = "and"
    OR = "or"


class ComparisonOps(Enum):
    """How two values are compared."""

    EQ = "=="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="


_COMPARE: dict[ComparisonOps, tuple[Callable[[Any, Any], bool], int]] = {
    ComparisonOps.EQ: (operator.eq, ComparisonMessage.EQ),
    ComparisonOps.NE: (operator.ne, ComparisonMessage.NEQ),
    ComparisonOps.GT: (operator.gt, ComparisonMessage.GT),
    ComparisonOps.GE: (operator.ge, ComparisonMessage.GTE),
    ComparisonOps.LT: (operator.lt, ComparisonMessage.LT),
    ComparisonOps.LE: (operator.le, ComparisonMessage.LTE),
}
_NO_TRUTH = "Cannot perform truth value testing. For Logical `and\\or` use `&\\|` (bitwise) instead."


class _Joinable:
    def __and__(self, other: Expression) -> ConjunctionExpression:
        return ConjunctionExpression(self, ConjunctionOps.AND, other)

    def __or__(self, other: Expression) -> ConjunctionExpression:
        return ConjunctionExpression(self, ConjunctionOps.OR, other)

    def __bool__(self) -> NoReturn:
        raise ValueError(f"{_NO_TRUTH} Expr {self!r}")


class ComparisonExpression(_Joinable):
    """A comparison; each side is a promise or a plain value."""

    def __init__(self, lhs: Any, op: ComparisonOps, rhs: Any) -> None:
        self.lhs, self.op, self.rhs = _side(lhs), op, _side(rhs)

    def eval(self) -> bool:
        """Compare the values, on a local run."""
        return _COMPARE[self.op][0](_value(self.lhs), _value(self.rhs))

    def promises(self) -> list[Promise]:
        """Return the promises of both sides."""
        return [side for side in (self.lhs, self.rhs) if not isinstance(side, Literal)]

    def message(self) -> BooleanExpression:
        """Return the comparison as the wire has it."""
        result = BooleanExpression()
        result.comparison.operator = _COMPARE[self.op][1]
        result.comparison.left_value.CopyFrom(_operand(self.lhs))
        result.comparison.right_value.CopyFrom(_operand(self.rhs))
        return result

    def __repr__(self) -> str:
        return f"Comp({self.lhs} {self.op.value} {self.rhs})"


class ConjunctionExpression(_Joinable):
    """Two conditions joined; on a local run the second is looked at only where the first does not decide."""

    def __init__(self, lhs: Any, op: ConjunctionOps, rhs: Any) -> None:
        self.lhs, self.op, self.rhs = lhs, op, rhs

    def eval(self) -> bool:
        """Join the two, on a local run."""
        left = bool(self.lhs.eval())
        if left is (self.op is ConjunctionOps.OR):
            return left
        return bool(self.rhs.eval())

    def promises(self) -> list[Promise]:
        """Return the promises of both."""
        return [*self.lhs.promises(), *self.rhs.promises()]

    def message(self) -> BooleanExpression:
        """Return the two as the wire has them."""
        result = BooleanExpression()
        result.conjunction.operator = ConjunctionMessage.AND if self.op is ConjunctionOps.AND else ConjunctionMessage.OR
        result.conjunction.left_expression.CopyFrom(self.lhs.message())
        result.conjunction.right_expression.CopyFrom(self.rhs.message())
        return result

    def __repr__(self) -> str:
        return f"({self.lhs} {self.op.value} {self.rhs})"


def operand_name(promise: Promise) -> str:
    """Return the name that a branch node has for a promise among its inputs."""
    return f"{promise.ref.node_id}.{promise.var}"


def _side(value: Any) -> Any:
    if hasattr(type(value), "__flyte_literal__"):
        if value.is_ready:
            primitive_of(value.resolved())
        return value
    python_type = type(value)
    return TypeEngine.to_literal(
        FlyteContextManager.current_context(), value, python_type, TypeEngine.to_literal_type(python_type)
    )


def _value(side: Any) -> Any:
    return primitive_of(side if isinstance(side, Literal) else side.resolved())


def primitive_of(literal: Literal) -> Any:
    """Return the Python value of a primitive literal, None for "nothing"; unions count as what they hold.

    :raises ValueError: for any other literal
    """
    scalar = literal.scalar
    if scalar.WhichOneof("value") == "union":
        return primitive_of(scalar.union.value)
    if scalar.WhichOneof("value") == "none_type":
        return None
    kind = scalar.primitive.WhichOneof("value") if scalar.WhichOneof("value") == "primitive" else None
    if kind is None:
        raise ValueError("Only primitive values can be used in comparison")
    value = getattr(scalar.primitive, kind)
    if kind == "datetime":
        return value.ToDatetime()
    return value.ToTimedelta() if kind == "duration" else value


def _operand(side: Any) -> Operand:
    if not isinstance(side, Literal):
        return Operand(var=operand_name(side))
    if side.scalar.WhichOneof("value") == "primitive":
        return Operand(primitive=side.scalar.primitive)
    return Operand(scalar=side.scalar)
