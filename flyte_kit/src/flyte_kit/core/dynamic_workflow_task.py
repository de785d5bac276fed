"""Tasks that return a graph: ``@dynamic``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from flyte_kit.core.python_function_task import ExecutionBehavior, PythonFunctionTask
from flyte_kit.core.task import task
from flyte_kit.core.type_variables import P, R

if TYPE_CHECKING:
    from typing import Unpack

    from flyte_kit.core.task_arguments import TaskArguments


@overload
def dynamic(_task_function: Callable[P, R], **kwargs: Unpack[TaskArguments]) -> PythonFunctionTask[Any, P, R]: ...


@overload
def dynamic(
    _task_function: None = ..., **kwargs: Unpack[TaskArguments]
) -> Callable[[Callable[P, R]], PythonFunctionTask[Any, P, R]]: ...


def dynamic(_task_function: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """Make a dynamic task of a function.

    Its body runs when the task does, on plain inputs; the calls in it become nodes that the engine runs then.

    :param kwargs: as of ``@task``
    """
    decorated = task(execution_mode=ExecutionBehavior.DYNAMIC, **kwargs)
    return decorated(_task_function) if _task_function is not None else decorated
