"""Eager tasks: plain async Python whose calls of entities become executions of their own."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, overload

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_kit.configuration.images import ImageConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import TaskMetadata, TaskResolverMixin
from flyte_kit.core.constants import EAGER_ROOT_ENV_NAME, wire_name
from flyte_kit.core.context_manager import ExecutionMode, FlyteContext, FlyteContextManager
from flyte_kit.core.imperative_workflow import ImperativeWorkflow
from flyte_kit.core.interface import Interface
from flyte_kit.core.node import dns_id
from flyte_kit.core.python_auto_container import PythonAutoContainerTask
from flyte_kit.core.python_function_task import AsyncPythonFunctionTask, ExecutionBehavior
from flyte_kit.core.type_transformer import run_coroutine
from flyte_kit.core.type_variables import P, R, T
from flyte_kit.deck.deck import Deck
from flyte_kit.exceptions.system import FlyteNonRecoverableSystemException
from flyte_kit.image_spec.image_spec import ImageSpec
from flyte_kit.loggers import logger

if TYPE_CHECKING:
    from typing import Unpack

    from flyte_kit.core.task_arguments import EagerArguments

FUNCTION_MODULE = "flyte_kit.core.python_function_task"
"""Where flytekit has the resolver of clean-up tasks; the wire names it so."""


class EagerAsyncPythonFunctionTask(AsyncPythonFunctionTask[T, P, R]):
    """An eager task. Locally its calls run in this process; in a container each asks the control plane."""

    def __init__(self, task_config: T | None, task_function: Callable[P, R], **kwargs: Any) -> None:
        kwargs.pop("execution_mode", None)
        metadata: TaskMetadata = kwargs.pop("metadata", None) or TaskMetadata()
        metadata.is_eager = True
        kwargs.setdefault("enable_deck", True)
        super().__init__(
            task_config, task_function, execution_mode=ExecutionBehavior.EAGER, metadata=metadata, **kwargs
        )

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of a local run."""
        return ExecutionMode.EAGER_LOCAL_EXECUTION

    def execute(self, **kwargs: Any) -> Any:
        """Run the coroutine to its end."""
        ctx = FlyteContextManager.current_context()
        state = ctx.execution_state
        if state is None:
            raise AssertionError("an eager task needs a run")
        if ctx.local_mode:
            here = ctx.with_execution_state(state.with_params(mode=ExecutionMode.EAGER_LOCAL_EXECUTION))
            with FlyteContextManager.with_context(here):
                return run_coroutine(self._coroutine(kwargs))
        if ctx.worker_queue is None:
            ctx = ctx.with_worker_queue(self._controller(ctx))
        return self._run_with_backend(ctx, kwargs)

    def _coroutine(self, kwargs: dict[str, Any]) -> Any:
        function: Any = self.task_function
        return function(**kwargs)

    def _controller(self, ctx: FlyteContext) -> Any:
        parameters = ctx.user_space_params
        if parameters is None or not parameters.execution_id.name:
            raise AssertionError("User facing context and execution ID should be present when not running locally")
        execution = parameters.execution_id
        queue = importlib.import_module("flyte_kit.core.worker_queue")
        remote = importlib.import_module("flyte_kit.remote.remote").FlyteRemote.auto(
            default_project=execution.project,
            default_domain=execution.domain,
            data_upload_location=parameters.raw_output_prefix or None,
        )
        controller = queue.Controller(
            remote=remote,
            settings=ctx.serialization_settings or SerializationSettings(ImageConfig.auto_default_image()),
            tag=execution.name,
            root_tag=os.environ.get(EAGER_ROOT_ENV_NAME, execution.name),
            prefix=dns_id(f"e-{self.name.rsplit('.', 1)[-1][:8]}-{execution.name[:5]}"),
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, controller.stop)
        return controller

    def _run_with_backend(self, ctx: FlyteContext, kwargs: dict[str, Any]) -> Any:
        state = ctx.execution_state
        if state is None:
            raise AssertionError("an eager task needs a run")
        there = ctx.with_execution_state(state.with_params(mode=ExecutionMode.EAGER_EXECUTION))
        failure = importlib.import_module("flyte_kit.core.worker_queue").EagerException
        with FlyteContextManager.with_context(there.with_worker_queue(ctx.worker_queue)):
            try:
                return run_coroutine(self._coroutine(kwargs))
            except failure as error:
                raise FlyteNonRecoverableSystemException(str(error)) from error
            finally:
                Deck("Eager Executions", ctx.worker_queue.render_html())
                ctx.worker_queue.close()

    def get_as_workflow(self) -> ImperativeWorkflow:
        """Return the workflow that runs it, with a failure handler that ends what it has started."""
        cleanup = EagerFailureHandlerTask(
            name=f"{self.name}-cleanup", container_image=self.container_image, inputs=self.python_interface.inputs
        )
        workflow = ImperativeWorkflow(name=self.name)
        for name, python_type in self.python_interface.inputs.items():
            workflow.add_workflow_input(name, python_type)
        node = workflow.add_entity(self, **workflow.inputs)
        for name in self.python_interface.outputs:
            workflow.add_workflow_output(name, node.outputs[name])
        workflow.add_on_failure_handler(cleanup)
        return workflow


@overload
def eager(
    _fn: None = ..., **kwargs: Unpack[EagerArguments]
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], EagerAsyncPythonFunctionTask[Any, P, Coroutine[Any, Any, R]]]: ...


@overload
def eager(
    _fn: Callable[P, Coroutine[Any, Any, R]], **kwargs: Unpack[EagerArguments]
) -> EagerAsyncPythonFunctionTask[Any, P, Coroutine[Any, Any, R]]: ...


def eager(_fn: Callable[..., Any] | None = None, *args: Any, **kwargs: Any) -> Any:
    """Make an eager task of a coroutine function.

    ``await`` calls of tasks and workflows in it; control flow is plain Python. A call of a task that is no coroutine
    function needs no ``await``.

    :param kwargs: container, resources and description as of ``@task``; ``metadata`` for what else there is
    """
    if _fn is None:
        return functools.partial(eager, **kwargs)
    if not inspect.iscoroutinefunction(_fn):
        raise ValueError(f"{_fn.__qualname__} must be a coroutine function: async def {_fn.__name__}(…)")
    kwargs.pop("enable_deck", None)
    made: EagerAsyncPythonFunctionTask = EagerAsyncPythonFunctionTask(None, _fn, enable_deck=True, **kwargs)
    functools.update_wrapper(made, _fn)
    return made


class EagerFailureTaskResolver(TaskResolverMixin):
    """Loads the task that ends what an eager task has started."""

    @property
    def location(self) -> str:
        """Where it is, as the wire names it."""
        return wire_name(f"{FUNCTION_MODULE}.eager_failure_task_resolver")

    def name(self) -> str:
        """Return the resolver's name."""
        return "eager_failure_task_resolver"

    def load_task(self, loader_args: list[str]) -> EagerFailureHandlerTask:
        """Return the task."""
        return EagerFailureHandlerTask(name="no_input_default_cleanup_task", inputs={})

    def loader_args(self, settings: SerializationSettings, t: Any) -> list[str]:
        """Return the three words that stand for it."""
        return ["eager", "failure", "handler"]

    def get_all_tasks(self) -> list[Any]:
        """Return nothing."""
        return []


eager_failure_task_resolver = EagerFailureTaskResolver()


class EagerFailureHandlerTask(PythonAutoContainerTask[Any]):
    """Ends every execution that an eager task has started."""

    TASK_TYPE = "eager_failure_handler_task"

    def __init__(
        self,
        name: str,
        container_image: str | ImageSpec | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            task_type=self.TASK_TYPE,
            name=name,
            container_image=container_image,
            interface=Interface(inputs=inputs or {}),
            task_config=None,
            task_resolver=eager_failure_task_resolver,
            **kwargs,
        )

    def dispatch_execute(self, ctx: FlyteContext, input_literal_map: LiteralMap) -> LiteralMap:
        """End them; inputs are passed on as they are, for their types are not known here."""
        parameters = ctx.user_space_params
        if parameters is None:
            raise AssertionError("an execution id is needed to clean up")
        execution = parameters.execution_id
        remote = importlib.import_module("flyte_kit.remote.remote").FlyteRemote.auto(
            default_project=execution.project, default_domain=execution.domain
        )
        ended = remote.terminate_children(execution)
        logger.warning("%s executions that %s had started were ended", ended, execution.name)
        return LiteralMap()
