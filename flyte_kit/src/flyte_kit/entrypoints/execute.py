"""``pyflyte-execute``: runs a task, and ``pyflyte-map-execute``: runs it for one element of a mapping."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from flyte_core.errors import UserError
from flyte_kit.core.constants import own_name
from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.entrypoints.arguments import Arguments, parse
from flyte_kit.entrypoints.run_task import run_task
from flyte_kit.entrypoints.runtime_packages import install_runtime_packages
from flyte_kit.entrypoints.surroundings import task_context

USAGE_ERROR = 2


def load_object(location: str) -> Any:
    """Return what a dotted name stands for; flytekit's own names stand for this SDK's."""
    module, _, name = own_name(location).rpartition(".")
    return getattr(importlib.import_module(module), name)


def execute(argv: Sequence[str] | None = None) -> int:
    """Run a task; return the exit code."""
    return _run(argv, mapped=False)


def map_execute(argv: Sequence[str] | None = None) -> int:
    """Run a task for one element; return the exit code."""
    return _run(argv, mapped=True)


def _run(argv: Sequence[str] | None, *, mapped: bool) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = parse(words)
        inputs, prefix = arguments.required("inputs"), arguments.required("output-prefix")
        location = arguments.required("resolver")
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_ERROR
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    install_runtime_packages()
    ctx = task_context(arguments)
    with FlyteContextManager.with_context(ctx):
        return run_task(ctx, lambda: _load(location, arguments, mapped=mapped), inputs, prefix, mapped=mapped)


def _load(location: str, arguments: Arguments, *, mapped: bool) -> Any:
    resolver = load_object(location)
    if not mapped:
        return resolver.load_task(loader_args=arguments.rest)
    made = resolver() if isinstance(resolver, type) else resolver
    return made.load_task(loader_args=arguments.rest, max_concurrency=int(arguments.options.get("max-concurrency", 0)))
