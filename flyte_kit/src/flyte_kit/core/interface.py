"""Signatures: what a function takes and gives, in Python's types and on the wire."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
import typing
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

from flyteidl.core.artifact_id_pb2 import ArtifactID
from flyteidl.core.interface_pb2 import Parameter, ParameterMap, TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import Void

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.docstring import Docstring
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_forms import list_of, optional_of
from flyte_kit.core.type_transformer import annotations_of
from flyte_kit.exceptions.user import (
    FlyteMissingReturnValueException,
    FlyteMissingTypeException,
    FlyteValidationException,
)
from flyte_kit.transformers.unions import UnionTransformer

Input = tuple[Any, Any]
"""Type and default of an input; None stands for "no default"."""


class Interface:
    """A signature in Python's types.

    :param inputs: type by name, or type and default
    :param outputs: type by name, in order
    :param output_tuple_name: name of the NamedTuple that the function returns, if it does
    """

    __slots__ = ("_inputs", "_outputs", "_typed", "docstring", "output_tuple_name")

    def __init__(
        self,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        output_tuple_name: str | None = None,
        docstring: Docstring | None = None,
    ) -> None:
        self._inputs: dict[str, Input] = {}
        for name, value in (inputs or {}).items():
            if not name.isidentifier():
                raise ValueError(f"Input name must be a valid Python identifier: {name!r}")
            self._inputs[name] = value if type(value) is tuple and len(value) > 1 else (value, None)
        self._outputs: dict[str, Any] = dict(outputs or {})
        self.output_tuple_name = output_tuple_name
        self.docstring = docstring
        self._typed: TypedInterface | None = None

    @property
    def inputs(self) -> dict[str, Any]:
        """Type by name."""
        return {name: value[0] for name, value in self._inputs.items()}

    @property
    def inputs_with_defaults(self) -> dict[str, Input]:
        """Type and default by name."""
        return self._inputs

    @property
    def default_inputs_as_kwargs(self) -> dict[str, Any]:
        """The defaults there are."""
        return {name: value[1] for name, value in self._inputs.items() if value[1] is not None}

    @property
    def outputs(self) -> dict[str, Any]:
        """Type by name, in order."""
        return self._outputs

    @property
    def output_names(self) -> list[str] | None:
        """Names in order; None if there are none."""
        return list(self._outputs) or None

    @property
    def typed(self) -> TypedInterface:
        """The signature on the wire; made once."""
        if self._typed is None:
            self._typed = _typed(self)
        return self._typed

    def with_wire_form(self, typed: TypedInterface) -> Interface:
        """Return the signature with a form on the wire that is known already, rather than made of Python's types."""
        result = Interface(self._inputs, self._outputs, self.output_tuple_name, self.docstring)
        result._typed = typed
        return result

    def remove_inputs(self, names: list[str] | None) -> Interface:
        """Return the signature without some inputs."""
        kept = {name: value for name, value in self._inputs.items() if name not in (names or [])}
        return Interface(kept, self._outputs, self.output_tuple_name, self.docstring)

    def with_inputs(self, extra_inputs: Mapping[str, Any]) -> Interface:
        """Return the signature with further inputs."""
        both = sorted(set(extra_inputs) & set(self._inputs))
        if both:
            raise ValueError(f"Input {both[0]} cannot be added as it already exists in the interface")
        return Interface({**self._inputs, **extra_inputs}, self._outputs, self.output_tuple_name, self.docstring)

    def with_outputs(self, extra_outputs: Mapping[str, Any]) -> Interface:
        """Return the signature with further outputs."""
        both = sorted(set(extra_outputs) & set(self._outputs))
        if both:
            raise ValueError(f"Output {both[0]} cannot be added as it already exists in the interface")
        return Interface(self._inputs, {**self._outputs, **extra_outputs}, None, self.docstring)

    def __repr__(self) -> str:
        return f"({', '.join(f'{n}: {t}' for n, t in self.inputs.items())}) -> {self._outputs}"


def _typed(interface: Interface) -> TypedInterface:
    docs = interface.docstring
    inputs = docs.input_descriptions if docs else {}
    outputs: Mapping[Any, str] = docs.output_descriptions if docs else {}
    if len(outputs) == 1:
        shared = next(iter(outputs.values()))
        outputs = dict.fromkeys(interface.outputs, shared)
    result = TypedInterface(
        inputs=VariableMap(variables=_variables(interface.inputs, inputs)),
        outputs=VariableMap(variables=_variables(interface.outputs, outputs)),
    )
    _check_artifacts(interface, result)
    return result


def _variables(types: Mapping[str, Any], descriptions: Mapping[Any, str]) -> dict[str, Variable]:
    return {name: variable(t, descriptions.get(name, name)) for name, t in types.items()}


def variable(python_type: Any, description: str = "") -> Variable:
    """Return a variable of a type, with the artifact that its ``Annotated`` names."""
    result = Variable(type=TypeEngine.to_literal_type(python_type), description=description)
    artifact = artifact_of(python_type)
    if artifact is not None:
        result.artifact_partial_id.CopyFrom(artifact)
    return result


def artifact_of(python_type: Any) -> ArtifactID | None:
    """Return the artifact that a type names."""
    for each in annotations_of(python_type):
        make = getattr(each, "to_partial_artifact_id", None)
        if make is not None:
            made: ArtifactID = make()
            return made
    return None


def _check_artifacts(interface: Interface, typed: TypedInterface) -> None:
    for name in interface.outputs:
        partitions = typed.outputs.variables[name].artifact_partial_id.partitions.value
        for key, value in partitions.items():
            bound = value.input_binding.var if value.HasField("input_binding") else ""
            if bound and bound not in interface.inputs:
                raise FlyteValidationException(
                    f"Output partition {key} of {name} is bound to input {bound} which does not exist in the interface"
                )


def transform_interface_to_typed_interface(
    interface: Interface | None, allow_partial_artifact_id_binding: bool = False
) -> TypedInterface | None:
    """Return the signature on the wire."""
    return interface.typed if interface is not None else None


def transform_inputs_to_parameters(ctx: FlyteContext, interface: Interface | None) -> ParameterMap:
    """Return the inputs as a launch plan's parameters: each is required or has a default."""
    result = ParameterMap()
    if interface is None:
        return result
    descriptions = interface.docstring.input_descriptions if interface.docstring else {}
    for name, (python_type, default) in interface.inputs_with_defaults.items():
        parameter = result.parameters[name]
        parameter.var.CopyFrom(variable(python_type, descriptions.get(name, name)))
        _set_default(ctx, parameter, python_type, default)
    return result


def _set_default(ctx: FlyteContext, parameter: Parameter, python_type: Any, default: Any) -> None:
    if default is None and UnionTransformer.is_optional_type(python_type):
        parameter.default.scalar.none_type.CopyFrom(Void())
    elif default is None:
        parameter.required = True
    elif hasattr(default, "set_parameter"):
        default.set_parameter(parameter)
    else:
        parameter.default.CopyFrom(TypeEngine.to_literal(ctx, default, python_type, parameter.var.type))


def transform_function_to_interface(
    fn: Callable[..., Any],
    docstring: Docstring | None = None,
    is_reference_entity: bool = False,
    pickle_untyped: bool = False,
) -> Interface:
    """Return the signature of a function.

    :param is_reference_entity: its body does not count
    :param pickle_untyped: what has no annotation is a pickle
    :raises FlyteMissingTypeException: if a parameter has no annotation
    :raises FlyteMissingReturnValueException: if it says it returns something and has no such statement
    """
    hints = typing.get_type_hints(fn, include_extras=True)
    returned = hints.get("return")
    if returned is None and pickle_untyped:
        returned = Any
    if not is_reference_entity and _must_return(returned) and has_return_statement(fn) is False:
        raise FlyteMissingReturnValueException(fn)
    inputs: dict[str, Input] = {}
    for name, parameter in inspect.signature(fn).parameters.items():
        hint = hints.get(name)
        if hint is None:
            if not pickle_untyped:
                raise FlyteMissingTypeException(fn, name)
            hint = Any
        default = None if parameter.default is inspect.Parameter.empty else parameter.default
        inputs[name] = (hint, default)
    return Interface(inputs, extract_return_annotation(returned), _tuple_name(returned), docstring)


def _must_return(returned: Any) -> bool:
    return returned not in (None, type(None)) and type(None) not in get_args(returned)


def has_return_statement(fn: Callable[..., Any]) -> bool | None:
    """Tell whether a function returns or yields something; None where its source is not to be had.

    The source is read only where the compiled code cannot decide: where every constant that it could return is None.
    """
    code = getattr(inspect.unwrap(fn), "__code__", None)
    if code is None:
        return None
    dis = importlib.import_module("dis")
    last = ""
    for instruction in dis.get_instructions(code):
        if instruction.opname == "RETURN_VALUE" and last != "LOAD_CONST None":
            return True
        if instruction.opname in {"YIELD_VALUE", "RETURN_GENERATOR"} and not code.co_flags & inspect.CO_COROUTINE:
            return True
        if instruction.opname == "RETURN_CONST" and instruction.argval is not None:
            return True
        last = (
            f"{instruction.opname} {instruction.argval}" if instruction.opname == "LOAD_CONST" else instruction.opname
        )
    return _source_returns(fn)


def _source_returns(fn: Callable[..., Any]) -> bool | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(fn))))
    except (OSError, TypeError, SyntaxError):
        return None
    body = getattr(tree.body[0], "body", [])
    return any(isinstance(node, ast.Return | ast.Raise) for each in body for node in ast.walk(each)) if body else None


def _tuple_name(returned: Any) -> str | None:
    return returned.__name__ or None if is_named_tuple(returned) else None


def is_named_tuple(t: Any) -> bool:
    """Tell whether a type is a NamedTuple."""
    return inspect.isclass(t) and issubclass(t, tuple) and hasattr(t, "_fields")


def extract_return_annotation(returned: Any) -> dict[str, Any]:
    """Return the outputs that a return annotation stands for: by the fields of a NamedTuple, else ``o0``, ``o1``, …

    :raises FlyteValidationException: for a tuple of one
    """
    if returned in (None, type(None), inspect.Signature.empty):
        return {}
    if is_named_tuple(returned):
        return dict(typing.get_type_hints(returned, include_extras=True))
    if get_origin(returned) is tuple or isinstance(returned, tuple):
        each = get_args(returned) if get_origin(returned) is tuple else returned
        if len(each) == 1:
            raise FlyteValidationException("A tuple stands for several outputs: do not use one for a single output.")
        return dict(zip(output_name_generator(len(each)), each, strict=True))
    return {default_output_name(): returned}


def default_output_name(index: int = 0) -> str:
    """Return the name of an output that has none."""
    return f"o{index}"


def output_name_generator(length: int) -> list[str]:
    """Return the names of outputs that have none."""
    return [default_output_name(index) for index in range(length)]


def transform_interface_to_list_interface(
    interface: Interface, bound_inputs: set[str], excluded_inputs: set[str], optional_outputs: bool = False
) -> Interface:
    """Return the signature of mapping over a function: lists in, lists out.

    :param bound_inputs: stay as they are
    :param excluded_inputs: are left out
    :param optional_outputs: elements of the result may be None
    """
    inputs = {
        name: t if name in bound_inputs else list_of(t)
        for name, t in interface.inputs.items()
        if name not in excluded_inputs
    }
    outputs = {name: list_of(optional_of(t) if optional_outputs else t) for name, t in interface.outputs.items()}
    return Interface(inputs=inputs, outputs=outputs)
