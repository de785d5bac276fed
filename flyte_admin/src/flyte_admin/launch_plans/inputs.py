"""Which inputs an execution of a launch plan may and must be given."""

from __future__ import annotations

from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.core.interface_pb2 import Parameter, ParameterMap, VariableMap
from flyteidl.core.types_pb2 import LiteralType

from flyte_core.errors import InvalidInput
from flyte_core.literals import is_castable, literal_problem, type_text


def expected_inputs(spec: LaunchPlanSpec, workflow_inputs: VariableMap) -> ParameterMap:
    """Return the parameters that are left to the execution: defaults that may be overridden, and required ones.

    Upstream's rule: what is fixed is left out; what is neither fixed nor given a default is required.

    :raises InvalidInput: naming every default and fixed input that the workflow lacks or whose type does not fit
    """
    problems = [
        *_default_problems(spec.default_inputs, workflow_inputs),
        *_fixed_problems(spec, workflow_inputs),
    ]
    if problems:
        raise InvalidInput("; ".join(problems), field="spec")
    expected = ParameterMap()
    for name, variable in workflow_inputs.variables.items():
        if name in spec.fixed_inputs.literals:
            continue
        if name in spec.default_inputs.parameters:
            expected.parameters[name].CopyFrom(spec.default_inputs.parameters[name])
            if not expected.parameters[name].HasField("var"):
                expected.parameters[name].var.CopyFrom(variable)
        else:
            expected.parameters[name].CopyFrom(Parameter(var=variable, required=True))
    return expected


def _default_problems(defaults: ParameterMap, workflow_inputs: VariableMap) -> list[str]:
    found = []
    for name, parameter in sorted(defaults.parameters.items()):
        if name not in workflow_inputs.variables:
            found.append(f"unexpected default_input {name[:256]}")
            continue
        wanted = workflow_inputs.variables[name].type
        problem = _parameter_problem(parameter, wanted)
        if problem:
            found.append(f"invalid default_input {name} wrong type, expected {type_text(wanted)}: {problem}")
    return found


def _parameter_problem(parameter: Parameter, wanted: LiteralType) -> str:
    match parameter.WhichOneof("behavior"):
        case "artifact_query" | "artifact_id":
            return "artifacts are not served: give a default or require the input"
        case "default":
            return literal_problem(parameter.default, wanted) or ""
    if parameter.HasField("var") and not is_castable(parameter.var.type, wanted):
        return f"the parameter is declared as {type_text(parameter.var.type)}"
    return ""


def _fixed_problems(spec: LaunchPlanSpec, workflow_inputs: VariableMap) -> list[str]:
    found = []
    for name, literal in sorted(spec.fixed_inputs.literals.items()):
        if name not in workflow_inputs.variables:
            found.append(f"unexpected fixed_input {name[:256]}")
            continue
        wanted = workflow_inputs.variables[name].type
        problem = literal_problem(literal, wanted)
        if problem:
            found.append(f"invalid fixed_input {name} wrong type, expected {type_text(wanted)}: {problem}")
    return found
