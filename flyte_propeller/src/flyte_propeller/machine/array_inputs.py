"""The inputs of array nodes: how many elements they are of, and those of one element."""

from __future__ import annotations

from collections.abc import Collection

from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import LiteralMap

INVALID_LENGTH = "InvalidArrayLength"


def array_size(inputs: LiteralMap, bound: Collection[str]) -> int | ExecutionError:
    """Return how many elements there are, or the error of inputs of which that cannot be said (upstream's code).

    :param bound: inputs that are the same for all elements
    """
    sizes = {name: len(inputs.literals[name].collection.literals) for name in mapped(inputs, bound)}
    if not sizes:
        given = ", ".join(sorted(inputs.literals)) or "none"
        return _invalid(f"no input is a list to map over; inputs are: {given}; the same for all: {_names(bound)}")
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        return _invalid(f"the lists to map over have different lengths: {found}")
    return next(iter(sizes.values()))


def mapped(inputs: LiteralMap, bound: Collection[str]) -> list[str]:
    """Return the names of the inputs that are lists to map over."""
    lists = (name for name, literal in inputs.literals.items() if literal.HasField("collection"))
    return sorted(name for name in lists if name not in bound)


def element_inputs(inputs: LiteralMap, bound: Collection[str], element: int) -> LiteralMap:
    """Return the inputs of one element: of each list to map over its own part, the rest as it is."""
    own = LiteralMap()
    lists = set(mapped(inputs, bound))
    for name, literal in inputs.literals.items():
        own.literals[name].CopyFrom(literal.collection.literals[element] if name in lists else literal)
    return own


def _names(bound: Collection[str]) -> str:
    return ", ".join(sorted(bound)) or "none"


def _invalid(text: str) -> ExecutionError:
    return ExecutionError(code=INVALID_LENGTH, message=text, kind=ExecutionError.USER)
