"""Writes docs/reference/sdk.md from the names of ``flyte_kit``."""

from __future__ import annotations

import enum
import importlib
import inspect
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

from generated import main, plain, table

import flyte_kit
from flyte_kit.exceptions import user

GROUPS = {
    "Tasks": "task dynamic eager map_task reference_task ContainerTask SQLTask Environment PythonFunctionTask "
    "PythonInstanceTask TaskMetadata TaskPlugins TaskReference kwtypes",
    "Workflows": "workflow Workflow ImperativeWorkflow WorkflowFailurePolicy conditional create_node "
    "reference_workflow WorkflowReference get_reference_entity approve sleep wait_for_input",
    "Launch plans": "LaunchPlan reference_launch_plan LaunchPlanReference CronSchedule FixedRate OnSchedule "
    "ConcurrencyPolicy ConcurrencyLimitBehavior Email PagerDuty Slack WorkflowExecutionPhase Options Labels "
    "Annotations RawOutputDataConfig AuthRole",
    "What a task asks for": "Resources Secret SecurityContext PodTemplate ImageSpec Cache CachePolicy "
    "VersionParameters HashMethod",
    "While a task runs": "current_context ExecutionParameters Checkpoint Deck logger",
    "Values": "FlyteFile FlyteDirectory StructuredDataset StructuredDatasetFormat StructuredDatasetTransformerEngine "
    "BatchSize Artifact",
    "A control plane from Python": "FlyteRemote Config",
    "Descriptions": "Description Documentation SourceCode",
    "Contexts, for extensions": "FlyteContext FlyteContextManager new_context",
    "Messages": "Literal LiteralType Scalar Blob BlobMetadata BlobType StructuredDatasetType",
}
WITH_MEMBERS = {
    *("Artifact", "Cache", "Checkpoint", "Config", "Deck", "Environment", "ExecutionParameters", "FlyteDirectory"),
    *("FlyteFile", "FlyteRemote", "ImageSpec", "ImperativeWorkflow", "LaunchPlan", "StructuredDataset"),
}
"""Classes whose methods users call; those of others are for extensions."""

FOR_THE_SDK = {"check_failure_handler", "check_same", "compile", "construct_node_metadata", "execute", "interface"}
FOR_THE_SDK |= {"local_execute", "local_execution_mode", "output_bindings"}
"""Members of entities that the SDK itself calls."""

MODULES = {
    "flyte_kit.testing": "patch task_mock SecretsManager",
    "flyte_kit.types.file": "FileExt",
    "flyte_kit.extras.tasks.shell": "ShellTask OutputLocation",
    "flyte_kit.extras.sqlite3.task": "SQLite3Task SQLite3Config",
    "flyte_kit.sensor.file_sensor": "FileSensor",
    "flyte_kit.sensor.base_sensor": "BaseSensor",
    "flyte_kit.extend": "TypeEngine TypeTransformer",
}


def groups() -> str:
    """Return every name of ``flyte_kit``, group by group.

    :raises SystemExit: if one is in no group, or in two
    """
    listed = [name for names in GROUPS.values() for name in names.split()]
    if sorted(listed) != sorted(flyte_kit.__all__):
        wrong = {*listed} ^ {*flyte_kit.__all__} or {name for name in listed if listed.count(name) > 1}
        raise SystemExit(f"GROUPS of {__file__} and flyte_kit.__all__ differ in {', '.join(sorted(wrong))}")
    parts = []
    for title, names in GROUPS.items():
        parts.append(f"## {title}")
        parts += [described(name, getattr(flyte_kit, name)) for name in names.split()]
    return "\n\n".join(parts)


def modules() -> str:
    """Return the names that are imported from modules of their own."""
    parts = []
    for module, names in MODULES.items():
        parts += [described(name, getattr(importlib.import_module(module), name), module) for name in names.split()]
    return "\n\n".join(parts)


def described(name: str, thing: Any, module: str = "") -> str:
    """Return one name: how it is called, what it is, its parameters, methods of its own."""
    heading = f"### {name}" + (f" (`{module}`)" if module else "")
    if is_message(thing) or not callable(thing) or (isinstance(thing, type) and issubclass(thing, str)):
        kind = f"The message `{thing.DESCRIPTOR.full_name}`." if is_message(thing) else first_line(thing)
        return f"{heading}\n\n{kind}"
    parts = [heading, prose(thing)]
    if thing.__name__ != name:
        return f"{heading}\n\nThe same as `{thing.__name__}`."
    members = members_of(thing) if name in WITH_MEMBERS else []
    if isinstance(thing, type) and issubclass(thing, enum.Enum):
        return "\n\n".join([*parts, ", ".join(f"`{each.name}`" for each in thing)])
    rows = list(parameters(getattr(thing, "create", thing) if name == "LaunchPlan" else thing))
    if rows:
        parts.append(table(("parameter", "default", "meaning"), rows))
    if members:
        parts.append(table(("member", "meaning"), members))
    return "\n\n".join(parts)


def is_message(thing: Any) -> bool:
    """Tell whether this is a protobuf message."""
    return hasattr(thing, "DESCRIPTOR")


def first_line(thing: Any) -> str:
    """Return the first sentence or line of a docstring; of a value, what it is."""
    doc = inspect.getdoc(thing) or ""
    if isinstance(thing, type) and issubclass(thing, str):
        return "Text."
    if isinstance(thing, logging.Logger):
        return f"The logger `{thing.name}`."
    return plain(doc.split("\n\n")[0])


def prose(thing: Any) -> str:
    """Return a docstring without its fields, then what it raises."""
    doc = inspect.getdoc(thing) or ""
    lead = re.split(r"^:(?:param|ivar|raises|return)", doc, maxsplit=1, flags=re.MULTILINE)[0]
    text = "\n\n".join(plain(paragraph) for paragraph in lead.strip().split("\n\n"))
    raised = [f"Raises `{kind}` {plain(why)}." for kind, why in fields(doc, "raises")]
    return "\n\n".join([text, *raised])


def fields(doc: str, word: str) -> list[tuple[str, str]]:
    """Return the fields of a docstring of one kind: name and text."""
    return re.findall(rf"^:{word} ([\w.]+): (.*?)(?=^:|\Z)", doc, re.DOTALL | re.MULTILINE)


def parameters(thing: Any) -> Iterator[tuple[str, str, str]]:
    """Yield name and type, default, and meaning of each parameter."""
    doc = inspect.getdoc(thing) or ""
    notes = dict(fields(doc, "param")) | dict(fields(doc, "ivar"))
    if isinstance(thing, type) and thing.__init__ in (object.__init__, dict.__init__):
        return
    call = thing.__init__ if isinstance(thing, type) else thing
    for name, parameter in inspect.signature(call).parameters.items():
        if name.startswith("_") or name == "self":
            continue
        star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        if star and name not in notes:
            continue
        default = "" if star else "(required)"
        if parameter.default is not parameter.empty:
            default = f"`{code}`" if (code := shown(parameter.default)) else ""
        yield f"`{star}{name}: {annotation(parameter)}`", default, plain(notes.get(name, ""))


def annotation(parameter: inspect.Parameter) -> str:
    """Return a parameter's type as it stands in the code."""
    kind = parameter.annotation
    if kind is parameter.empty:
        return "Any"
    return kind.replace("'", "") if isinstance(kind, str) else inspect.formatannotation(kind)


def shown(default: Any) -> str:
    """Return a default as code that is the same on every machine."""
    if isinstance(default, enum.Enum):
        return f"{type(default).__name__}.{default.name}"
    return re.sub(r"<factory>|<.* at 0x\w+>", "", re.sub(r"<(\w+\.\w+): .*?>", r"\1", repr(default)))


def members_of(thing: type) -> list[tuple[str, str]]:
    """Return the public methods and properties that a class defines or takes over, with their first line."""
    rows = []
    for name in sorted({name for cls in thing.__mro__ for name in vars(cls) if cls.__module__.startswith("flyte_")}):
        value = inspect.getattr_static(thing, name)
        function = getattr(value, "__func__", value)
        skipped = name.startswith("_") or (name in FOR_THE_SDK and hasattr(thing, "python_interface"))
        if skipped or not (inspect.isfunction(function) or isinstance(value, property)):
            continue
        brackets = "" if isinstance(value, property) else required(function)
        rows.append((f"`{name}{brackets}`", first_line(function if brackets else value)))
    return rows


def required(function: Any) -> str:
    """Return the parameters that a call must give, and dots where it may give others."""
    names, others = [], False
    for name, parameter in inspect.signature(function).parameters.items():
        if name in {"self", "cls"}:
            continue
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            names.append(name)
        else:
            others = True
    return f"({', '.join([*names, *(['…'] if others else [])])})"


def errors() -> str:
    """Return the errors that users meet."""
    found = [cls for _, cls in inspect.getmembers(user, inspect.isclass) if cls.__module__ == user.__name__]
    rows = [(f"`{cls.__name__}`", f"`{cls.__mro__[1].__name__}`", first_line(cls)) for cls in found]
    return table(("error", "is a", "when"), rows)


if __name__ == "__main__":
    sys.exit(main("reference/sdk.md", {"names": groups(), "modules": modules(), "errors": errors()}))
