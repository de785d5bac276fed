"""Mapping a task over lists: ``map_task(f)(x=[1, 2, 3])``."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import math
import os
from collections.abc import Iterator
from typing import Any, Generic, TypeVar, overload

from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.tasks_pb2 import Container, ExtendedResources, K8sPod, Sql
from flyteidl.core.workflow_pb2 import ArrayNode as ArrayNodeMessage
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.array_node import ArrayNode, array_node
from flyte_kit.core.base_task import PythonTask, TaskResolverMixin
from flyte_kit.core.constants import own_name, wire_name
from flyte_kit.core.context_manager import ExecutionMode, FlyteContext, FlyteContextManager
from flyte_kit.core.interface import Interface, transform_interface_to_list_interface
from flyte_kit.core.launch_plan import LaunchPlan
from flyte_kit.core.node import node_metadata
from flyte_kit.core.python_auto_container import execute_command
from flyte_kit.core.python_function_task import ExecutionBehavior, PythonFunctionTask, PythonInstanceTask
from flyte_kit.core.task import ReferenceTask
from flyte_kit.core.tracker import TrackedInstance, extract_task_module
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_variables import R
from flyte_kit.loggers import logger

E = TypeVar("E")


class ArrayNodeMapTask(PythonTask[Any], Generic[R]):
    """A task that runs another one for every element of its list inputs.

    :param python_function_task: the other task, or a ``functools.partial`` that ties some of its inputs
    :param concurrency: elements at the same time; 0 for no limit, None for that of the workflow
    :param min_successes: elements that must succeed; or as a part of all, ``min_success_ratio``
    :param bound_inputs: names of inputs that are not mapped over
    :param run_all_sub_nodes: whether elements go on although too many have failed
    """

    def __init__(
        self,
        python_function_task: Any,
        concurrency: int | None = None,
        min_successes: int | None = None,
        min_success_ratio: float | None = None,
        bound_inputs: set[str] | None = None,
        bound_inputs_values: dict[str, Any] | None = None,
        run_all_sub_nodes: bool = False,
        **kwargs: Any,
    ) -> None:
        partial = python_function_task if isinstance(python_function_task, functools.partial) else None
        target: Any = partial.func if partial is not None else python_function_task
        _check_target(target)
        if bound_inputs and bound_inputs_values and bound_inputs != set(bound_inputs_values):
            raise ValueError("bound_inputs and bound_inputs_values should have the same keys if both set")
        values = {**(partial.keywords if partial is not None else {}), **(bound_inputs_values or {})}
        self.run_task = target
        self.bound_inputs = set(bound_inputs or ()) | set(values)
        self.bound_values: dict[str, Any] = values
        self.concurrency, self.run_all_sub_nodes = concurrency, run_all_sub_nodes
        self.min_successes, self.min_success_ratio = min_successes, min_success_ratio
        plain = type(target) in {PythonFunctionTask, PythonInstanceTask}
        self.execution_mode = ArrayNodeMessage.MINIMAL_STATE if plain else ArrayNodeMessage.FULL_STATE
        optional = min_success_ratio is not None and min_success_ratio != 1 and bool(target.python_interface.outputs)
        kwargs.setdefault("metadata", target.metadata)
        kwargs.setdefault("security_ctx", target.security_context)
        super().__init__(
            task_type=target.task_type,
            name=self._full_name(target),
            interface=transform_interface_to_list_interface(
                target.python_interface, self.bound_inputs, set(), optional
            ),
            task_type_version=1,
            **kwargs,
        )
        self.sub_node_metadata: NodeMetadata = super().construct_node_metadata()
        self.sub_node_metadata.name = self.name

    def _full_name(self, target: Any) -> str:
        if isinstance(target, PythonInstanceTask):
            module, name = target.task_type, target.lhs
        else:
            _, module, name, _ = extract_task_module(target.task_function)
        bound = ",".join(sorted(self.bound_inputs))
        text = f"{bound}{self.concurrency}{self.min_successes}{self.min_success_ratio}"
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return f"{module}.map_{name}_{digest}-arraynode"

    @property
    def python_function_task(self) -> Any:
        """The task that runs for every element."""
        return self.run_task

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of the node around the elements'."""
        return node_metadata(self.name)

    @contextlib.contextmanager
    def prepare_target(self) -> Iterator[None]:
        """Let the other task have the command of a mapping, for a block."""
        self.run_task.set_command_fn(self.get_command)
        try:
            yield
        finally:
            self.run_task.reset_command_fn()

    def get_command(self, settings: SerializationSettings) -> list[str]:
        """Return the arguments of an element's container."""
        if self._command_fn is not None:
            return list(self._command_fn(settings))
        resolver = ArrayNodeMapTaskResolver()
        return execute_command("pyflyte-map-execute", resolver.name(), resolver.loader_args(settings, self))

    _command_fn: Any = None

    def set_command_fn(self, get_command_fn: Any = None) -> None:
        """Take other arguments, until :meth:`reset_command_fn`."""
        self._command_fn = get_command_fn

    def reset_command_fn(self) -> None:
        """Take the usual arguments again."""
        self._command_fn = None

    def build_container(self, settings: SerializationSettings) -> Container:
        """Return the container of an element, also for a pod."""
        with self.prepare_target():
            return self.run_task.build_container(settings)

    def get_container(self, settings: SerializationSettings) -> Container | None:
        """Return the container of an element."""
        with self.prepare_target():
            return self.run_task.get_container(settings)

    def get_k8s_pod(self, settings: SerializationSettings) -> K8sPod | None:
        """Return the pod of an element."""
        with self.prepare_target():
            return self.run_task.get_k8s_pod(settings)

    def get_sql(self, settings: SerializationSettings) -> Sql | None:
        """Return the query of the other task."""
        return self.run_task.get_sql(settings)

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        """Return what the other task's plugin is told."""
        return self.run_task.get_custom(settings) or {}

    def get_config(self, settings: SerializationSettings) -> Any:
        """Return the settings of the other task's plugin."""
        return self.run_task.get_config(settings)

    def get_extended_resources(self, settings: SerializationSettings) -> ExtendedResources | None:
        """Return the accelerator and shared memory of the other task."""
        return self.run_task.get_extended_resources(settings)

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Call it with lists, and with what is tied."""
        lists: R = super().__call__(*args, **{**self.bound_values, **kwargs})
        return lists

    def _literal_map_to_python_input(self, literal_map: LiteralMap, ctx: FlyteContext) -> dict[str, Any]:
        if not _in_container(ctx):
            return TypeEngine.literal_map_to_kwargs(ctx, literal_map, self.python_interface.inputs)
        index = array_index()
        element = LiteralMap()
        for name in self.python_interface.inputs:
            literal = literal_map.literals[name]
            if literal.HasField("offloaded_metadata"):
                literal = TypeEngine.unwrap_offloaded_literal(ctx, literal)
            if name not in self.bound_inputs:
                if literal.WhichOneof("value") != "collection":
                    raise ValueError(f"Expected a list of literals for {name}")
                literal = literal.collection.literals[index]
            element.literals[name].CopyFrom(literal)
        return TypeEngine.literal_map_to_kwargs(ctx, element, self.run_task.python_interface.inputs)

    def output_interface(self, ctx: FlyteContext) -> Interface:
        """Return the signature whose outputs are written: in a container those of one element."""
        interface: Interface = self.run_task.python_interface
        return interface if _in_container(ctx) else self.python_interface

    def execute(self, **kwargs: Any) -> Any:
        """Run the other task: for one element in a container, for all of them on a local run."""
        if _in_container(FlyteContextManager.current_context()):
            return self.run_task.execute(**kwargs)
        return self._run_all(kwargs)

    def _run_all(self, kwargs: dict[str, Any]) -> list[Any]:
        mapped = [name for name in self.run_task.python_interface.inputs if name not in self.bound_inputs]
        count = len(kwargs[mapped[0]]) if mapped else 0
        needed = needed_successes(count, self.min_successes, self.min_success_ratio)
        failures, outputs = 0, []
        for index in range(count):
            inputs = {name: value[index] if name in mapped else value for name, value in kwargs.items()}
            try:
                outputs.append(self.run_task.execute(**inputs))
            except Exception:
                failures += 1
                if count - failures < needed:
                    logger.error("%s: too many elements have failed (%s of %s)", self.name, failures, count)
                    raise
                outputs.append(None)
        return outputs if self.python_interface.outputs else []


def needed_successes(count: int, successes: int | None, ratio: float | None) -> int:
    """Return how many of ``count`` elements must succeed."""
    if successes:
        return successes
    return math.ceil(count * ratio) if ratio else count


def _in_container(ctx: FlyteContext) -> bool:
    return ctx.execution_state is not None and ctx.execution_state.mode is ExecutionMode.TASK_EXECUTION


def array_index() -> int:
    """Return the index of this container's element, from the variables that engines set."""
    name = os.environ.get("BATCH_JOB_ARRAY_INDEX_VAR_NAME", "0")
    return int(os.environ.get("BATCH_JOB_ARRAY_INDEX_OFFSET", "0")) + int(os.environ.get(name, "0"))


def _check_target(target: Any) -> None:
    plain = isinstance(target, PythonFunctionTask) and target.execution_mode is ExecutionBehavior.DEFAULT
    if not plain and not isinstance(target, PythonInstanceTask):
        raise ValueError(
            "Only PythonFunctionTask with default execution mode (not @dynamic or @eager) and PythonInstanceTask are "
            f"supported in map tasks, not {target!r}."
        )
    if len(target.python_interface.outputs) > 1:
        raise ValueError("Only tasks with a single output are supported in map tasks.")


@overload
def map_task(
    target: PythonFunctionTask[Any, ..., E] | functools.partial[E],
    concurrency: int | None = ...,
    min_successes: int | None = ...,
    *,
    min_success_ratio: float,
    run_all_sub_nodes: bool = ...,
    **kwargs: Any,
) -> ArrayNodeMapTask[list[E | None]]: ...


@overload
def map_task(
    target: PythonFunctionTask[Any, ..., E] | functools.partial[E],
    concurrency: int | None = ...,
    min_successes: int | None = ...,
    *,
    run_all_sub_nodes: bool = ...,
    **kwargs: Any,
) -> ArrayNodeMapTask[list[E]]: ...


@overload
def map_task(
    target: LaunchPlan[E] | ReferenceTask[..., E],
    concurrency: int | None = ...,
    min_successes: int | None = ...,
    *,
    min_success_ratio: float,
    run_all_sub_nodes: bool = ...,
) -> ArrayNode[list[E | None]]: ...


@overload
def map_task(
    target: LaunchPlan[E] | ReferenceTask[..., E],
    concurrency: int | None = ...,
    min_successes: int | None = ...,
    *,
    run_all_sub_nodes: bool = ...,
) -> ArrayNode[list[E]]: ...


@overload
def map_task(target: PythonInstanceTask, *args: Any, **kwargs: Any) -> ArrayNodeMapTask[Any]: ...


def map_task(
    target: Any,
    concurrency: int | None = None,
    min_successes: int | None = None,
    min_success_ratio: float = 1.0,
    run_all_sub_nodes: bool = False,
    **kwargs: Any,
) -> Any:
    """Map a task, a launch plan, or a reference to a task over lists.

    :param target: also a ``functools.partial`` of a task, whose keywords stay the same for all elements
    :param concurrency: elements at the same time; 0 for no limit, None for that of the workflow
    :param min_successes: elements that must succeed
    :param min_success_ratio: part of the elements that must; below 1 the others give None
    :param run_all_sub_nodes: whether elements go on although too many have failed
    """
    if isinstance(target, LaunchPlan | ReferenceTask) or hasattr(target, "registered_id"):
        return array_node(
            target,
            concurrency=concurrency,
            min_successes=min_successes,
            min_success_ratio=min_success_ratio,
            run_all_sub_nodes=run_all_sub_nodes,
        )
    return ArrayNodeMapTask(
        target,
        concurrency=concurrency,
        min_successes=min_successes,
        min_success_ratio=min_success_ratio,
        run_all_sub_nodes=run_all_sub_nodes,
        **kwargs,
    )


class ArrayNodeMapTaskResolver(TrackedInstance, TaskResolverMixin):
    """Finds a mapping again: by the resolver and name of the task that it maps, and by what is tied."""

    def name(self) -> str:
        """Return where this class is, as the wire names it."""
        return wire_name(f"{type(self).__module__}.{type(self).__name__}")

    def load_task(self, loader_args: list[str], max_concurrency: int = 0) -> ArrayNodeMapTask:
        """Return the mapping of ``vars a,b resolver R …``."""
        _, bound, _, resolver, *inner = loader_args
        module, _, attribute = own_name(resolver).rpartition(".")
        found = getattr(importlib.import_module(module), attribute)
        target = found.load_task(loader_args=inner)
        names = {name for name in bound.split(",") if name}
        return ArrayNodeMapTask(target, concurrency=max_concurrency, bound_inputs=names)

    def loader_args(self, settings: SerializationSettings, t: Any) -> list[str]:
        """Return what names a mapping."""
        target = t.run_task
        inner = target.task_resolver.loader_args(settings, target)
        return ["vars", ",".join(sorted(t.bound_inputs)), "resolver", target.task_resolver.location, *inner]
