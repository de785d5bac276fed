"""Evaluates the condition of a branch over the branch node's inputs, by upstream's rules."""

from __future__ import annotations

from typing import Any

from flyteidl.core.condition_pb2 import BooleanExpression, ComparisonExpression, ConjunctionExpression, Operand
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive

_C = ComparisonExpression


class Malformed(Exception):
    """A condition that cannot be decided; the text says why."""


def holds(expression: BooleanExpression, inputs: LiteralMap) -> bool:
    """Return whether the condition holds.

    :raises Malformed: if it names an input that is not there, or compares what cannot be compared
    """
    if expression.HasField("conjunction"):
        conjunction = expression.conjunction
        left = holds(conjunction.left_expression, inputs)
        right = holds(conjunction.right_expression, inputs)
        return (left and right) if conjunction.operator == ConjunctionExpression.AND else (left or right)
    comparison = expression.comparison
    left_value = _operand(comparison.left_value, inputs)
    right_value = _operand(comparison.right_value, inputs)
    return _compare(left_value, right_value, comparison.operator)


def _operand(operand: Operand, inputs: LiteralMap) -> Primitive:
    match operand.WhichOneof("val"):
        case "primitive":
            return operand.primitive
        case "var":
            if operand.var not in inputs.literals:
                raise Malformed(f"Failed to find Value for Variable [{operand.var}]")
            return _primitive(inputs.literals[operand.var], operand.var)
        case "scalar" if operand.scalar.HasField("primitive"):
            return operand.scalar.primitive
        case other:
            raise Malformed(f"a comparison takes a primitive or a variable, not {other or 'nothing'}")


def _primitive(literal: Literal, name: str) -> Primitive:
    scalar = literal.scalar
    if scalar.HasField("union"):
        return _primitive(scalar.union.value, name)
    if literal.WhichOneof("value") != "scalar" or not scalar.HasField("primitive"):
        raise Malformed(f"variable [{name}] is no primitive")
    return scalar.primitive


def _compare(left: Primitive, right: Primitive, operator: int) -> bool:
    kind = left.WhichOneof("value")
    if kind != right.WhichOneof("value"):
        other = right.WhichOneof("value")
        raise Malformed(f"Comparison between different primitives types. lVal[{kind}]:rVal[{other}]")
    one, two = _value(left, kind), _value(right, kind)
    if kind == "boolean" and operator not in (_C.EQ, _C.NEQ):
        raise Malformed("booleans are only equal or not: [>, >=, <, <=] cannot be used with them")
    match operator:
        case _C.EQ:
            return bool(one == two)
        case _C.NEQ:
            return bool(one != two)
        case _C.GT:
            return bool(one > two)
        case _C.GTE:
            return bool(one >= two)
        case _C.LT:
            return bool(one < two)
        case _C.LTE:
            return bool(one <= two)
        case unknown:
            raise Malformed(f"operator {unknown} is unknown")


def _value(primitive: Primitive, kind: str | None) -> Any:
    match kind:
        case "datetime" | "duration":
            return int(getattr(primitive, kind).seconds)  # upstream compares whole seconds
        case "integer" | "float_value" | "string_value" | "boolean":
            return getattr(primitive, kind)
        case _:
            raise Malformed("a comparison with nothing")
