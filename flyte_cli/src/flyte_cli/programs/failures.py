"""Failures of the user's own code."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import TracebackType

import click

import flyte_cli
import flyte_core
import flyte_kit
from flyte_core.errors import FlyteError

_LIBRARY = Path(traceback.__file__).parent / "importlib"
_OURS = tuple(
    str(path)
    for path in (
        *(Path(module.__file__).parent for module in (flyte_kit, flyte_core, flyte_cli) if module.__file__),
        _LIBRARY,
    )
)


def failure(what: str, error: Exception) -> click.ClickException:
    """Print where the user's code failed, without our own frames, and return what is said of it in a line."""
    frames = [frame for frame in traceback.extract_tb(_first(error)) if _is_users(frame.filename)]
    if frames and not isinstance(error, FlyteError):
        click.echo("Traceback (most recent call last):", err=True)
        click.echo("".join(traceback.format_list(frames)), err=True, nl=False)
        click.echo("".join(traceback.format_exception_only(error)), err=True, nl=False)
        sys.stderr.flush()
    text = " ".join(line.strip() for line in str(error).splitlines())
    return click.ClickException(f"{what}: {type(error).__name__}: {text}")


def _is_users(filename: str) -> bool:
    return not filename.startswith((*_OURS, "<frozen importlib"))


def _first(error: BaseException) -> TracebackType | None:
    """Return the traceback of what came first: errors of tasks are raised again under other names."""
    while error.__cause__ is not None and error.__cause__.__traceback__ is not None:
        error = error.__cause__
    return error.__traceback__
