"""Tasks that are functions."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic

from flyte_kit.core.base_task import TaskResolverMixin
from flyte_kit.core.calls import async_call_entity, call_entity
from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.docstring import Docstring
from flyte_kit.core.interface import Interface, transform_function_to_interface
from flyte_kit.core.python_auto_container import PythonAutoContainerTask, default_task_resolver
from flyte_kit.core.tracker import (
    extract_task_module,
    is_functools_wrapped_module_level,
    isnested,
    istestfunction,
)
from flyte_kit.core.type_transformer import run_coroutine
from flyte_kit.core.type_variables import P, R, T


class ExecutionBehavior(Enum):
    """What running a function means."""

    DEFAULT = 1
    DYNAMIC = 2
    EAGER = 3


_Behavior = ExecutionBehavior


class PythonInstanceTask(PythonAutoContainerTask[Any]):
    """A task that is no function: a variable of a module, whose class says what running it means.

    :param name: full name
    """

    def __init__(
        self, name: str, task_config: Any, task_type: str = "python-task", task_resolver: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, task_config=task_config, task_type=task_type, task_resolver=task_resolver, **kwargs)


class PythonFunctionTask(PythonAutoContainerTask[T], Generic[T, P, R]):
    """A function as a task; ``@task`` makes it.

    :param task_function: the function; its annotations are the signature
    :param ignore_input_vars: parameters that are not inputs
    :param node_dependency_hints: what a dynamic task may call, to be registered with it
    :param pickle_untyped: parameters without annotation are pickles
    :raises ValueError: if the function is within another, so that no container could find it
    """

    ExecutionBehavior = ExecutionBehavior

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: Any) -> type[PythonFunctionTask]:
            # Subclasses name one parameter, their configuration, or all three; a running program needs none.
            return cls

    def __init__(  # noqa: PLR0913 - the arguments of flytekit's class
        self,
        task_config: T | None,
        task_function: Callable[P, R],
        task_type: str = "python-task",
        ignore_input_vars: list[str] | None = None,
        execution_mode: _Behavior = _Behavior.DEFAULT,
        task_resolver: TaskResolverMixin | None = None,
        node_dependency_hints: Iterable[Any] | None = None,
        pickle_untyped: bool = False,
        **kwargs: Any,
    ) -> None:
        self.native_interface = transform_function_to_interface(
            task_function, _docstring(task_function), pickle_untyped=pickle_untyped
        )
        self._task_function = task_function
        self._execution_mode = execution_mode
        self.node_dependency_hints = node_dependency_hints
        if node_dependency_hints is not None and execution_mode is not ExecutionBehavior.DYNAMIC:
            raise ValueError("node_dependency_hints are for dynamic tasks only: elsewhere they are found in the code.")
        interface: Interface = self.native_interface.remove_inputs(ignore_input_vars)
        super().__init__(
            name=extract_task_module(task_function)[0],
            task_config=task_config,
            task_type=task_type,
            interface=interface,
            task_resolver=task_resolver,
            **kwargs,
        )
        if self._task_resolver is default_task_resolver:
            _check_reachable(task_function)

    @property
    def name(self) -> str:
        """Full name; one made by a function of another module has the name of the module that called it in front."""
        made_in = self.instantiated_in
        if made_in and made_in != "__main__" and made_in not in self._name:
            return f"{made_in}.{self._name}"
        return self._name

    @property
    def execution_mode(self) -> _Behavior:
        """What running it means."""
        return self._execution_mode

    @property
    def task_function(self) -> Callable[P, R]:
        """The function."""
        return self._task_function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it: see :func:`flyte_kit.core.calls.call_entity`."""
        result: R = call_entity(self, *args, **kwargs)
        return result

    def execute(self, **kwargs: Any) -> Any:
        """Run the function; a dynamic one makes a workflow."""
        if self._execution_mode is ExecutionBehavior.DYNAMIC:
            return importlib.import_module("flyte_kit.core.dynamic_run").dynamic_execute(self, **kwargs)
        function: Callable[..., Any] = self._task_function
        return function(**kwargs)


class AsyncPythonFunctionTask(PythonFunctionTask[T, P, R]):
    """A coroutine function as a task: its calls are awaited."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it: a promise while a workflow is put together, elsewhere something to await."""
        compiling = FlyteContextManager.current_context().compilation_state is not None
        called: Any = call_entity if compiling else async_call_entity
        result: R = called(self, *args, **kwargs)
        return result

    def execute(self, **kwargs: Any) -> Any:
        """Run the coroutine to its end."""
        if self._execution_mode is ExecutionBehavior.DYNAMIC:
            raise NotImplementedError(f"{self.name}: a coroutine function cannot be dynamic; use @eager")
        function: Callable[..., Any] = self._task_function
        return run_coroutine(function(**kwargs))


def _docstring(function: Callable[..., Any]) -> Docstring:
    return Docstring(callable_=function)


def _check_reachable(function: Callable[..., Any]) -> None:
    if isnested(function) and not istestfunction(function) and not is_functools_wrapped_module_level(function):
        raise ValueError(
            f"{function.__qualname__} cannot be a nested/inner or local function: a container loads it from its module."
            " Define it at module level (modules named `test_…` may have nested ones), use functools.wraps in"
            " decorators, or give the task a resolver of its own."
        )


def __getattr__(name: str) -> Any:
    # flytekit has the eager classes here, and container arguments name this module; here they have one of their own
    if name.startswith(("Eager", "eager_")):
        return getattr(importlib.import_module("flyte_kit.core.eager"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
