"""The inputs an execution runs with: what the user gave, what the launch plan fixes, what is left at its default."""

from __future__ import annotations

from flyteidl.core.interface_pb2 import ParameterMap
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.errors import InvalidInput
from flyte_core.literals import literal_problem, type_text


def resolve_inputs(given: LiteralMap, fixed: LiteralMap, expected: ParameterMap) -> LiteralMap:
    """Return every input of the workflow with its value.

    :param given: by the user
    :param fixed: by the launch plan; the user may not give these
    :param expected: by the launch plan's closure: what may be given, and the defaults
    :raises InvalidInput: naming every input that is unknown, missing, fixed or of the wrong type (upstream names only
        the first)
    """
    problems = [_problem(name, given, fixed, expected) for name in sorted(given.literals)]
    resolved = LiteralMap()
    for name, parameter in expected.parameters.items():
        if name in given.literals or name in fixed.literals:
            continue
        if parameter.WhichOneof("behavior") == "default":
            resolved.literals[name].CopyFrom(parameter.default)
        elif parameter.WhichOneof("behavior") in ("artifact_query", "artifact_id"):
            problems.append(f"artifact_query of input {name} is not served: give the input a value")
        elif parameter.required or parameter.WhichOneof("behavior") is None:
            problems.append(f"expected_inputs {name} missing")
    found = [problem for problem in problems if problem]
    if found:
        raise InvalidInput("; ".join(found), field="inputs")
    for source in (fixed, given):
        for name, literal in source.literals.items():
            resolved.literals[name].CopyFrom(literal)
    return resolved


def _problem(name: str, given: LiteralMap, fixed: LiteralMap, expected: ParameterMap) -> str:
    if name in fixed.literals:
        return f"fixed_inputs {name} cannot be overridden"
    if name not in expected.parameters:
        return f"invalid input {name[:256]}"
    literal_type = expected.parameters[name].var.type
    problem = literal_problem(given.literals[name], literal_type)
    return f"invalid {name} input wrong type {type_text(literal_type)}: {problem}" if problem else ""
