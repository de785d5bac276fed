"""The inputs of an entity as options of a command."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from flyte_core.errors import InvalidInput
from flyte_core.literals import type_text
from flyte_kit.core.input_text import document_of, read_document, value_of_document, value_of_text
from flyte_kit.core.interface import Interface
from flyte_kit.core.type_transformer import get_underlying_type

STDIN = "-"
LONGEST_DEFAULT = 60


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gave: None may be one too."""

    value: Any


class InputType(click.ParamType[Given]):
    """Text for an input of a type.

    :param python_type: the input's type
    :param name: the type in Flyte's words, for the help page
    """

    def __init__(self, python_type: Any, name: str) -> None:
        self._type = python_type
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Given:
        """Read the text; what does not fit is told with what would."""
        if isinstance(value, Given):
            return value
        try:
            return Given(value_of_text(str(value), self._type))
        except InvalidInput as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the type for the help page."""
        return self.name


def input_options(
    interface: Interface, defaults: Mapping[str, str] | None = None, required: frozenset[str] | None = None
) -> list[click.Parameter]:
    """Return an option for every input; ``--my_input`` can be written ``--my-input`` too.

    :param defaults: texts of defaults that the interface does not know, those of a registered launch plan
    :param required: inputs without a default, where the interface does not tell
    """
    variables = interface.typed.inputs.variables
    needed = required_inputs(interface) if required is None else required
    options: list[click.Parameter] = []
    for name, (python_type, default) in interface.inputs_with_defaults.items():
        shown = (defaults or {}).get(name)
        if shown is None and default is not None:
            shown = _short(default)
        note = "  [required]" if name in needed else f"  [default: {shown}]" if shown is not None else ""
        description = variables[name].description if variables[name].description != name else ""
        if get_underlying_type(python_type) is bool:
            spellings = dict.fromkeys((name, name.replace("_", "-")))
            flags = [f"--{each}/--no-{each}" for each in spellings]
            options.append(click.Option([name, *flags], type=bool, default=None, help=description + note))
            continue
        spellings = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
        kind = InputType(python_type, type_text(variables[name].type))
        options.append(click.Option([name, *spellings], type=kind, help=description + note))
    return options


def required_inputs(interface: Interface) -> frozenset[str]:
    """Return the inputs that somebody must give: without a default, and not None either."""
    variables = interface.typed.inputs.variables
    known = interface.inputs_with_defaults.items()
    return frozenset(name for name, (_, default) in known if default is None and not _takes_none(variables[name].type))


def given_inputs(
    interface: Interface, values: Mapping[str, Any], file: str, required: frozenset[str] | None = None
) -> dict[str, Any]:
    """Return the inputs that somebody gave: those of a file, and over them those of options.

    :param values: of the options
    :param file: path of a JSON or YAML file of inputs by name, ``-`` for standard input; empty for none
    :param required: inputs that must be there; those without a default without it
    :raises click.UsageError: naming what is missing or unknown
    """
    inputs = _file_inputs(interface, file) if file else {}
    for name, given in values.items():
        if given is not None:  # a flag gives its value itself
            inputs[name] = given.value if isinstance(given, Given) else given
    needed = required_inputs(interface) if required is None else required
    missing = [name for name in interface.inputs if name in needed and name not in inputs]
    if missing:
        shown = ", ".join(f"--{name} ({type_text(interface.typed.inputs.variables[name].type)})" for name in missing)
        raise click.UsageError(f"missing inputs: {shown}.", click.get_current_context())
    return inputs


def with_defaults(interface: Interface, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs with what nobody gave: tasks have no launch plan that would keep their defaults."""
    defaults = {name: default for name, (_, default) in interface.inputs_with_defaults.items()}
    return {**defaults, **inputs}


def _file_inputs(interface: Interface, file: str) -> dict[str, Any]:
    document = document_of(sys.stdin.read(), "standard input") if file == STDIN else read_document(Path(file))
    if not isinstance(document, dict):
        raise InvalidInput(f"{file} must map inputs to values, for example {{x: 1}}")
    unknown = sorted(set(map(str, document)) - set(interface.inputs))
    if unknown:
        raise InvalidInput(f"{file}: there is no input {unknown[0]!r}; there are {', '.join(interface.inputs)}")
    found = {}
    for name, each in document.items():
        try:
            found[name] = value_of_document(each, interface.inputs[name])
        except InvalidInput as error:
            raise InvalidInput(f"{file}: {name}: {error}") from error
    return found


def _takes_none(literal_type: Any) -> bool:
    return any(
        variant.simple == 0 and variant.WhichOneof("type") == "simple" for variant in literal_type.union_type.variants
    )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_DEFAULT else f"{text[: LONGEST_DEFAULT - 1]}…"
