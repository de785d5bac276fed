"""Tasks that return a graph: ``@dynamic``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from flyte_kit.core.python_function_task import ExecutionBehavior, PythonFunctionTask
from flyte_kit.core.task import task

P = ParamSpec("P")
R = TypeVar("R")


@overload
def dynamic(_task_function: Callable[P, R], **kwargs: Any) -> PythonFunctionTask[P, R]: ...


@overload
def dynamic(_task_function: None = ..., **kwargs: Any) -> Callable[[Callable[P, R]], PythonFunctionTask[P, R]]: ...


def dynamic(_task_function: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """Make a dynamic task of a function.

    Its body runs when the task does, on plain inputs; the calls in it become nodes that the engine runs then.

    :param kwargs: as of ``@task``
    """
    decorated = task(execution_mode=ExecutionBehavior.DYNAMIC, **kwargs)
    return decorated(_task_function) if _task_function is not None else decorated
