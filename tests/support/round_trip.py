"""A value through the wire and back, as between two tasks."""

from __future__ import annotations

from typing import Any, NamedTuple

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType

from flyte_kit import FlyteContextManager
from flyte_kit.extend import TypeEngine


class Passed(NamedTuple):
    """What became of a value.

    :ivar type: on the wire
    :ivar literal: likewise
    :ivar value: of the reader
    """

    type: LiteralType
    literal: Literal
    value: Any


def passed(python_type: Any, value: Any, read_as: Any = None) -> Passed:
    """Write a value, take it through bytes, and read it as the same type or another."""
    ctx = FlyteContextManager.current_context()
    wire_type = TypeEngine.to_literal_type(python_type)
    written = TypeEngine.to_literal(ctx, value, python_type, wire_type)
    literal = Literal.FromString(written.SerializeToString())
    return Passed(wire_type, literal, TypeEngine.to_python_value(ctx, literal, read_as or python_type))
