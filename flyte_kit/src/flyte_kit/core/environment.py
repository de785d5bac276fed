"""Arguments of tasks that several tasks share."""

from __future__ import annotations

import copy
import pprint
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from flyte_kit.core.dynamic_workflow_task import dynamic
from flyte_kit.core.python_function_task import PythonFunctionTask
from flyte_kit.core.task import task
from flyte_kit.core.type_variables import P, R

if TYPE_CHECKING:
    from typing import Unpack

    from flyte_kit.core.task_arguments import TaskArguments


def inherit(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return ``old`` with ``new`` over it; dictionaries are joined."""
    result = copy.deepcopy(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = inherit(result[key], value) if both else value
    return result


class Environment:
    """Arguments of ``@task`` by name: ``env = Environment(retries=2)``, then ``@env`` or ``@env(timeout=60)``."""

    def __init__(self, **overrides: Unpack[TaskArguments]) -> None:
        if "_task_function" in overrides:
            raise KeyError("Cannot override task function")
        self.overrides: dict[str, Any] = dict(overrides)

    def update(self, **overrides: Unpack[TaskArguments]) -> None:
        """Change arguments for the tasks that follow."""
        self.overrides = inherit(self.overrides, dict(overrides))

    def extend(self, **overrides: Unpack[TaskArguments]) -> Environment:
        """Return an environment with further arguments."""
        return type(self)(**inherit(self.overrides, dict(overrides)))

    @overload
    def __call__(self, _task_function: Callable[P, R], /) -> PythonFunctionTask[Any, P, R]: ...

    @overload
    def __call__(
        self, **overrides: Unpack[TaskArguments]
    ) -> Callable[[Callable[P, R]], PythonFunctionTask[Any, P, R]]: ...

    def __call__(self, *function: Any, **overrides: Any) -> Any:
        """Make a task of a function."""
        decorated = task(**inherit(self.overrides, overrides))
        return decorated(*function) if function and function != (None,) else decorated

    task = __call__

    @overload
    def dynamic(self, _task_function: Callable[P, R], /) -> PythonFunctionTask[Any, P, R]: ...

    @overload
    def dynamic(
        self, **overrides: Unpack[TaskArguments]
    ) -> Callable[[Callable[P, R]], PythonFunctionTask[Any, P, R]]: ...

    def dynamic(self, *function: Any, **overrides: Any) -> Any:
        """Make a dynamic task of a function."""
        decorated = dynamic(**inherit(self.overrides, overrides))
        return decorated(*function) if function and function != (None,) else decorated

    def show(self) -> None:
        """Print the arguments."""
        sys.stdout.write(pprint.pformat(self.overrides) + "\n")
