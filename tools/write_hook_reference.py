"""Writes docs/reference/hooks.md from the hook specifications and ports."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

from generated import main, plain, table

from flyte_core import events, hookspecs, storage, task_types
from flyte_kit import hookspecs as sdk

HOOKS = (hookspecs.flyte_task_types, hookspecs.flyte_storage, hookspecs.flyte_event_sinks)
SDK_HOOKS = (sdk.flyte_type_transformers, sdk.flyte_image_builder)
CONTEXTS = (hookspecs.PluginContext, hookspecs.StorageContext, task_types.TaskContext, task_types.TaskPaths)
VALUES = (task_types.PhaseInfo, storage.BlobInfo, storage.SignedUrl, events.RecordedEvent)
PORTS = (
    task_types.ResourceTaskType,
    task_types.RemoteJobTaskType,
    task_types.InlineTaskType,
    storage.BlobStore,
    events.EventSink,
)


def hook(function: Any) -> str:
    """Return one hook: signature, rule of dispatch, text."""
    first = bool(getattr(function, "flyte_spec", {}).get("firstresult"))
    answers = "The first answer that is not None counts." if first else "All answers are taken."
    return f"### `{signature(function)}`\n\n{text(function)}\n\n{answers}"


def port(cls: type) -> str:
    """Return one port: attributes and methods."""
    parts = [f"### {cls.__name__}", text(cls)]
    attributes = [(f"`{name}: {kind}`", note) for name, kind, note in attributes_of(cls)]
    if attributes:
        parts.append(table(("attribute", "meaning"), attributes))
    methods = [
        (f"`{signature(value)}`", text(value))
        for name, value in vars(cls).items()
        if inspect.isfunction(value) and not name.startswith("_")
    ]
    parts.append(table(("method", "contract"), methods))
    return "\n\n".join(parts)


def value(cls: type) -> str:
    """Return one value class: its fields."""
    notes = ivars(cls)
    rows = [(f"`{name}: {kind}`", notes.get(name, "")) for name, kind in cls.__annotations__.items()]
    return "\n\n".join([f"### {cls.__name__}", text(cls), table(("field", "meaning"), rows)])


def signature(function: Any) -> str:
    """Return name and parameters without self."""
    shown = inspect.signature(function)
    kept = [parameter for name, parameter in shown.parameters.items() if name != "self"]
    word = "async " if inspect.iscoroutinefunction(function) else ""
    return f"{word}{function.__name__}{shown.replace(parameters=kept)}".replace("'", "")


def text(thing: Any) -> str:
    """Return a docstring's prose, and what it raises and takes."""
    doc = re.split(r"\n:ivar ", inspect.cleandoc(thing.__doc__ or "") + "\n")[0]
    doc = re.sub(r"\n:raises ([\w.]+): ", r"\nRaises `\1` ", doc)
    doc = re.sub(r"\n:param (\w+): ", r"\n`\1`: ", doc)
    return plain(re.sub(r"\n:return: ", r"\nReturns ", doc))


def ivars(cls: type) -> dict[str, str]:
    """Return the fields that the docstring explains."""
    found = re.findall(r"^:ivar (\w+): (.*?)(?=^:|\Z)", inspect.cleandoc(cls.__doc__ or ""), re.DOTALL | re.MULTILINE)
    return {name: plain(note) for name, note in found}


def attributes_of(cls: type) -> list[tuple[str, str, str]]:
    """Return a protocol's attributes with the text below each."""
    source = inspect.getsource(cls)
    notes = dict(re.findall(r'^    (\w+): [^\n]+\n    """(.*?)"""', source, re.DOTALL | re.MULTILINE))
    return [(name, str(kind), plain(notes.get(name, ""))) for name, kind in cls.__annotations__.items()]


if __name__ == "__main__":
    parts = {
        "hooks": "\n\n".join(hook(function) for function in HOOKS),
        "sdk hooks": f"{text(sdk)}\n\n" + "\n\n".join(hook(function) for function in SDK_HOOKS),
        "ports": "\n\n".join(port(cls) for cls in PORTS),
        "values": "\n\n".join(value(cls) for cls in (*CONTEXTS, *VALUES)),
        "version": f"This page describes version `{hookspecs.API_VERSION}` of the interface (`hookspecs.API_VERSION`).",
    }
    sys.exit(main("reference/hooks.md", parts))
