"""Runs an entity in this process."""

from __future__ import annotations

import asyncio
import inspect
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import click

import flyte_core
import flyte_kit
from flyte_cli.literal_values import plain
from flyte_cli.programs.entities import Entity
from flyte_core.errors import FlyteError
from flyte_kit.core.context_manager import ExecutionMode, FlyteContextManager
from flyte_kit.core.interface import Interface
from flyte_kit.core.type_engine import TypeEngine

_OURS = tuple(str(Path(module.__file__).parent) for module in (flyte_kit, flyte_core) if module.__file__)


def run_here(entity: Entity, inputs: Mapping[str, Any]) -> Any:
    """Return what the entity returns.

    :raises click.ClickException: if it fails; the traceback of the user's own code is printed first
    """
    try:
        result = entity(**inputs)
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
    except Exception as error:  # the border to the user's code: whatever it raises is shown
        raise _failure(entity.name, error) from error
    return result


def outputs_by_name(interface: Interface, result: Any) -> dict[str, Any]:
    """Return the values of outputs by name."""
    names = list(interface.outputs)
    if not names:
        return {}
    if len(names) == 1 and not (interface.output_tuple_name and isinstance(result, tuple)):
        return {names[0]: result}
    return dict(zip(names, result, strict=True))


def plain_outputs(interface: Interface, result: Any) -> dict[str, Any]:
    """Return outputs as JSON-like data, in the form that they have for other tasks."""
    ctx = FlyteContextManager.current_context()
    state = ctx.new_execution_state().with_params(mode=ExecutionMode.LOCAL_TASK_EXECUTION)
    local = ctx.with_execution_state(state)
    variables = interface.typed.outputs.variables
    return {
        name: plain(TypeEngine.to_literal(local, value, interface.outputs[name], variables[name].type))
        for name, value in outputs_by_name(interface, result).items()
    }


def _failure(name: str, error: Exception) -> click.ClickException:
    """Print where the user's code failed, and return what is said of it in a line."""
    frames = [frame for frame in traceback.extract_tb(_tb(error)) if not frame.filename.startswith(_OURS)]
    frames = [frame for frame in frames if frame.filename != __file__]
    if frames and not isinstance(error, FlyteError):
        click.echo("Traceback (most recent call last):", err=True)
        click.echo("".join(traceback.format_list(frames)), err=True, nl=False)
        click.echo("".join(traceback.format_exception_only(error)), err=True, nl=False)
        sys.stderr.flush()
    text = " ".join(line.strip() for line in str(error).splitlines())
    return click.ClickException(f"{name} failed: {type(error).__name__}: {text}")


def _tb(error: BaseException) -> TracebackType | None:
    """Return the traceback of what came first: errors of tasks are raised again under other names."""
    while error.__cause__ is not None and error.__cause__.__traceback__ is not None:
        error = error.__cause__
    return error.__traceback__
