"""``@task``, and the tasks that are made without a class of their own."""

from __future__ import annotations

import datetime
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, overload

from flyte_kit.core.base_task import PythonTask, TaskMetadata, TaskResolverMixin
from flyte_kit.core.cache import Cache, VersionParameters
from flyte_kit.core.documentation import Documentation
from flyte_kit.core.interface import Interface, output_name_generator
from flyte_kit.core.pod_template import PodTemplate
from flyte_kit.core.python_function_task import AsyncPythonFunctionTask, ExecutionBehavior, PythonFunctionTask
from flyte_kit.core.reference_entity import ReferenceEntity, TaskReference, reference_by_signature
from flyte_kit.core.resources import Resources
from flyte_kit.core.security import Secret
from flyte_kit.core.type_variables import P, R
from flyte_kit.deck.fields import ALL_FIELDS, DeckField
from flyte_kit.extras.accelerators import BaseAccelerator
from flyte_kit.image_spec.image_spec import ImageSpec

if TYPE_CHECKING:
    from typing import Unpack

    from flyte_kit.core.task_arguments import TaskArguments


class TaskPlugins:
    """Which class makes the tasks of which ``task_config``."""

    _classes: ClassVar[dict[type, type[PythonFunctionTask]]] = {}

    @classmethod
    def register_pythontask_plugin(cls, plugin_config_type: type, plugin: type[PythonFunctionTask]) -> None:
        """Let tasks whose ``task_config`` is of a type be made by a class.

        :raises TypeError: if another class makes them
        """
        known = cls._classes.get(plugin_config_type)
        if known is not None and known is not plugin:
            raise TypeError(f"{plugin_config_type} is already handled by {known}; {plugin} cannot take it")
        cls._classes[plugin_config_type] = plugin

    @classmethod
    def find_pythontask_plugin(cls, plugin_config_type: type) -> type[PythonFunctionTask]:
        """Return the class for a type."""
        return cls._classes.get(plugin_config_type, PythonFunctionTask)


@overload
def task(
    _task_function: None = ...,
    *,
    execution_mode: ExecutionBehavior = ...,
    **kwargs: Unpack[TaskArguments],
) -> Callable[[Callable[P, R]], PythonFunctionTask[Any, P, R]]: ...


@overload
def task(
    _task_function: Callable[P, R],
    *,
    execution_mode: ExecutionBehavior = ...,
    **kwargs: Unpack[TaskArguments],
) -> PythonFunctionTask[Any, P, R]: ...


def task(  # noqa: PLR0913 - the arguments of flytekit's decorator
    _task_function: Callable[..., Any] | None = None,
    task_config: Any = None,
    cache: bool | Cache = False,
    retries: int = 0,
    interruptible: bool | None = None,
    deprecated: str = "",
    timeout: datetime.timedelta | int = 0,
    container_image: str | ImageSpec | None = None,
    environment: dict[str, str] | None = None,
    requests: Resources | None = None,
    limits: Resources | None = None,
    secret_requests: list[Secret] | None = None,
    execution_mode: ExecutionBehavior = ExecutionBehavior.DEFAULT,
    node_dependency_hints: Iterable[Any] | None = None,
    task_resolver: TaskResolverMixin | None = None,
    docs: Documentation | None = None,
    disable_deck: bool | None = None,
    enable_deck: bool | None = None,
    deck_fields: tuple[DeckField, ...] | None = ALL_FIELDS,
    pod_template: PodTemplate | None = None,
    pod_template_name: str | None = None,
    accelerator: BaseAccelerator | None = None,
    pickle_untyped: bool = False,
    shared_memory: bool | str | None = None,
    resources: Resources | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    cache_version: str | None = None,
    cache_serialize: bool | None = None,
    cache_ignore_input_vars: tuple[str, ...] | None = None,
) -> Any:
    """Make a task of a function. Its annotations are its signature; a coroutine function makes a task to await.

    :param task_config: object of a plugin, which decides what kind of task this is
    :param cache: whether, or how, results are kept; ``True`` needs ``cache_version`` (the older spelling) or a policy
    :param retries: how often it is tried again after a recoverable failure
    :param interruptible: whether it may run on machines that can be taken away; None leaves it to the workflow
    :param deprecated: message for those who use it
    :param timeout: of one attempt; a number means seconds, 0 no limit
    :param container_image: text (with ``{{.image.<name>.fqn}}`` and the like) or an ImageSpec
    :param environment: variables of its container
    :param requests: what it asks of the machine
    :param limits: what it may not use more of
    :param secret_requests: secrets that it may read with ``current_context().secrets``
    :param execution_mode: set by ``@dynamic`` and ``@eager``
    :param node_dependency_hints: what a dynamic task may call, to be registered with it
    :param task_resolver: finds the task again in its container
    :param docs: description that consoles show; the docstring's without it
    :param disable_deck: older spelling of ``enable_deck``, the other way round
    :param enable_deck: whether its runs make HTML pages
    :param deck_fields: which pages
    :param pod_template: pod into which its container goes
    :param pod_template_name: a template that the cluster has
    :param accelerator: kind of device, of ``flyte_kit.extras.accelerators``
    :param pickle_untyped: parameters without annotation are pickles
    :param shared_memory: True, or a size
    :param resources: requests and limits in one: each amount, or a pair of both
    :param labels: of its pod
    :param annotations: of its pod
    :param cache_version: older spelling of ``Cache(version=…)``
    :param cache_serialize: older spelling of ``Cache(serialize=…)``: of equal calls one runs, the others wait for it
    :param cache_ignore_input_vars: older spelling of ``Cache(ignored_inputs=…)``
    """

    def wrapper(function: Callable[..., Any]) -> PythonFunctionTask:
        parameters = VersionParameters(function, container_image, pod_template, pod_template_name)
        caching = cache_arguments(cache, cache_version, cache_serialize, cache_ignore_input_vars, parameters)
        metadata = TaskMetadata(
            retries=retries, interruptible=interruptible, deprecated=deprecated, timeout=timeout, **caching
        )
        made = _task_class(type(task_config), function)(
            task_config,
            function,
            metadata=metadata,
            container_image=container_image,
            environment=environment,
            requests=requests,
            limits=limits,
            secret_requests=secret_requests,
            execution_mode=execution_mode,
            node_dependency_hints=node_dependency_hints,
            task_resolver=task_resolver,
            disable_deck=disable_deck,
            enable_deck=enable_deck,
            deck_fields=deck_fields,
            docs=docs,
            pod_template=pod_template,
            pod_template_name=pod_template_name,
            accelerator=accelerator,
            pickle_untyped=pickle_untyped,
            shared_memory=shared_memory,
            resources=resources,
            labels=labels,
            annotations=annotations,
        )
        functools.update_wrapper(made, function)
        return made

    return wrapper(_task_function) if _task_function is not None else wrapper


def _task_class(config_type: type, function: Callable[..., Any]) -> type[PythonFunctionTask]:
    found = TaskPlugins.find_pythontask_plugin(config_type)
    if not inspect.iscoroutinefunction(function):
        return found
    if found is PythonFunctionTask:
        return AsyncPythonFunctionTask
    if not issubclass(found, AsyncPythonFunctionTask):
        raise AssertionError(f"Task plugin {found} is not compatible with async functions")  # noqa: TRY004 - as flytekit raises
    return found


def cache_arguments(
    cache: bool | Cache,
    version: str | None,
    serialize: bool | None,
    ignored: tuple[str, ...] | None,
    parameters: VersionParameters[Any, Any],
) -> dict[str, Any]:
    """Return the fields of a task's metadata for its caching, from either spelling.

    :raises ValueError: if both spellings are mixed
    """
    if cache is True and version is None:
        cache = Cache(serialize=bool(serialize), ignored_inputs=ignored or ())
        serialize = ignored = None
    if isinstance(cache, Cache):
        if serialize is not None or version is not None or ignored is not None:
            raise ValueError("cache_serialize, cache_version, and cache_ignore_input_vars are deprecated: use Cache.")
        return {
            "cache": True,
            "cache_version": cache.get_version(parameters),
            "cache_serialize": cache.serialize,
            "cache_ignore_input_vars": cache.get_ignored_inputs(),
        }
    return {
        "cache": cache,
        "cache_version": version or "",
        "cache_serialize": bool(serialize),
        "cache_ignore_input_vars": ignored or (),
    }


class ReferenceTask(ReferenceEntity[P, R], PythonTask[Any], Generic[P, R]):
    """A task that is registered already."""

    def __init__(
        self,
        project: str,
        domain: str,
        name: str,
        version: str,
        inputs: dict[str, Any],
        outputs: dict[str, Any],
    ) -> None:
        ReferenceEntity.__init__(self, TaskReference(project, domain, name, version), inputs, outputs)


def reference_task(
    project: str, domain: str, name: str, version: str
) -> Callable[[Callable[P, R]], ReferenceTask[P, R]]:
    """Refer to a task that is registered already; the function gives only its signature."""
    return reference_by_signature(ReferenceTask, project, domain, name, version)


class Echo(PythonTask[Any]):
    """A task that returns its inputs; the engine does it without a container.

    :param inputs: type by name
    """

    TASK_TYPE = "echo"

    def __init__(self, name: str, inputs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        values = list((inputs or {}).values())
        outputs = dict(zip(output_name_generator(len(values)), values, strict=True))
        super().__init__(self.TASK_TYPE, name, interface=Interface(inputs=inputs, outputs=outputs), **kwargs)

    def execute(self, **kwargs: Any) -> Any:
        """Return the inputs."""
        values = tuple(kwargs.values())
        return values[0] if len(values) == 1 else values
