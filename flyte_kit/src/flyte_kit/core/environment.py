"""Arguments of tasks that several tasks share."""

from __future__ import annotations

import copy
import pprint
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from flyte_kit.core.dynamic_workflow_task import dynamic
from flyte_kit.core.python_function_task import PythonFunctionTask
from flyte_kit.core.task import task

P = ParamSpec("P")
R = TypeVar("R")


def inherit(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return ``old`` with ``new`` over it; dictionaries are joined."""
    result = copy.deepcopy(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = inherit(result[key], value) if both else value
    return result


class Environment:
    """Arguments of ``@task`` by name: ``env = Environment(retries=2)``, then ``@env`` or ``@env(timeout=60)``."""

    def __init__(self, **overrides: Any) -> None:
        if "_task_function" in overrides:
            raise KeyError("Cannot override task function")
        self.overrides = overrides

    def update(self, **overrides: Any) -> None:
        """Change arguments for the tasks that follow."""
        self.overrides = inherit(self.overrides, overrides)

    def extend(self, **overrides: Any) -> Environment:
        """Return an environment with further arguments."""
        return type(self)(**inherit(self.overrides, overrides))

    @overload
    def __call__(self, _task_function: Callable[P, R], /) -> PythonFunctionTask[P, R]: ...

    @overload
    def __call__(self, **overrides: Any) -> Callable[[Callable[P, R]], PythonFunctionTask[P, R]]: ...

    def __call__(self, *function: Any, **overrides: Any) -> Any:
        """Make a task of a function."""
        decorated = task(**inherit(self.overrides, overrides))
        return decorated(*function) if function and function != (None,) else decorated

    task = __call__

    @overload
    def dynamic(self, _task_function: Callable[P, R], /) -> PythonFunctionTask[P, R]: ...

    @overload
    def dynamic(self, **overrides: Any) -> Callable[[Callable[P, R]], PythonFunctionTask[P, R]]: ...

    def dynamic(self, *function: Any, **overrides: Any) -> Any:
        """Make a dynamic task of a function."""
        decorated = dynamic(**inherit(self.overrides, overrides))
        return decorated(*function) if function and function != (None,) else decorated

    def show(self) -> None:
        """Print the arguments."""
        sys.stdout.write(pprint.pformat(self.overrides) + "\n")
