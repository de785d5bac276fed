"""Tasks, whatever runs them."""

from __future__ import annotations

import collections
import importlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.security_pb2 import SecurityContext
from flyteidl.core.tasks_pb2 import Container, ExtendedResources, K8sPod, Sql
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.configuration.platform import LocalConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.calls import call_entity, translate_inputs_to_literals
from flyte_kit.core.context_manager import (
    ExecutionMode,
    ExecutionParameters,
    FlyteContext,
    FlyteContextManager,
    FlyteEntities,
)
from flyte_kit.core.documentation import Documentation, with_docstring
from flyte_kit.core.interface import Interface
from flyte_kit.core.node import node_metadata
from flyte_kit.core.output_literals import outputs_by_name, outputs_to_literals
from flyte_kit.core.promise import Promise, VoidPromise, create_task_output
from flyte_kit.core.task_metadata import TaskMetadata
from flyte_kit.core.tracker import TrackedInstance
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformerFailedError
from flyte_kit.deck.fields import ALL_FIELDS, DeckField
from flyte_kit.exceptions.system import (
    FlyteDownloadDataException,
    FlyteNonRecoverableSystemException,
    FlyteUploadDataException,
)
from flyte_kit.exceptions.user import FlyteUserRuntimeException

__all__ = [
    "DeckField",
    "IgnoreOutputs",
    "PythonTask",
    "Task",
    "TaskMetadata",
    "TaskResolverMixin",
    "kwtypes",
]

T = TypeVar("T")
_STORAGE = (FlyteUploadDataException, FlyteDownloadDataException)


def kwtypes(**kwargs: Any) -> OrderedDict[str, Any]:
    """Return names with types, in order: columns of a table, inputs of a task."""
    return collections.OrderedDict(kwargs)


class IgnoreOutputs(Exception):
    """Raised by a worker whose outputs nobody is to read, such as the second and further ones of a training."""


def short_name(name: str) -> str:
    """Return the last part of a dotted name."""
    return name.rsplit(".", 1)[-1]


class Task:
    """A task as the wire knows it.

    :param name: unique in a project and domain
    :param interface: signature on the wire
    """

    def __init__(
        self,
        task_type: str,
        name: str,
        interface: TypedInterface | None,
        metadata: TaskMetadata | None = None,
        task_type_version: int = 0,
        security_ctx: SecurityContext | None = None,
        docs: Documentation | None = None,
        **kwargs: Any,
    ) -> None:
        self._task_type = task_type
        self._name = name
        self._interface = interface if interface is not None else TypedInterface()
        self._metadata = metadata or TaskMetadata()
        self._task_type_version = task_type_version
        self._security_ctx = security_ctx
        self._docs = docs
        FlyteEntities.entities.append(self)
        super().__init__(**kwargs)

    @property
    def interface(self) -> TypedInterface:
        """Signature on the wire."""
        return self._interface

    @property
    def metadata(self) -> TaskMetadata:
        """How it is run."""
        return self._metadata

    @property
    def name(self) -> str:
        """Full name."""
        return self._name

    @property
    def task_type(self) -> str:
        """Which plugin of the engine runs it."""
        return self._task_type

    @property
    def task_type_version(self) -> int:
        """Version of what the plugin is given."""
        return self._task_type_version

    @property
    def python_interface(self) -> Interface:
        """Signature in Python's types."""
        raise NotImplementedError(f"{self._name} has no Python interface")

    @property
    def security_context(self) -> SecurityContext | None:
        """Secrets that it asks for."""
        return self._security_ctx

    @property
    def docs(self) -> Documentation | None:
        """Its description."""
        return self._docs

    def get_container(self, settings: SerializationSettings) -> Container | None:
        """Return the container that runs it."""
        return None

    def get_k8s_pod(self, settings: SerializationSettings) -> K8sPod | None:
        """Return the pod that runs it."""
        return None

    def get_sql(self, settings: SerializationSettings) -> Sql | None:
        """Return the query that it is."""
        return None

    def get_custom(self, settings: SerializationSettings) -> Mapping[str, Any] | None:
        """Return what its plugin is told: JSON-like."""
        return None

    def get_config(self, settings: SerializationSettings) -> Mapping[str, str] | None:
        """Return settings of its plugin."""
        return None

    def get_extended_resources(self, settings: SerializationSettings) -> ExtendedResources | None:
        """Return the accelerator and shared memory that it asks for."""
        return None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it: see :func:`flyte_kit.core.calls.call_entity`."""
        return call_entity(self, *args, **kwargs)

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of a local run."""
        return ExecutionMode.LOCAL_TASK_EXECUTION

    def local_execute(self, ctx: FlyteContext, **kwargs: Any) -> Any:
        """Run it in this process, through literals as on a cluster; what is cached is not run again."""
        try:
            literals = translate_inputs_to_literals(ctx, kwargs, self.interface.inputs, self.python_interface.inputs)
        except TypeTransformerFailedError as error:
            raise TypeTransformerFailedError(f"Failed to convert inputs of task '{self.name}':\n  {error}") from error
        inputs = LiteralMap(literals=literals)
        outputs = self._cached_run(ctx, inputs) if self.metadata.cache else self.sandbox_execute(ctx, inputs)
        names = list(self.python_interface.outputs)
        if len(names) != len(outputs.literals):
            raise AssertionError(f"{self.name} has outputs {names}, but {sorted(outputs.literals)} came out")
        if not names:
            return VoidPromise(self.name)
        promises = [Promise(name, outputs.literals[name]) for name in names]
        return create_task_output(promises, self.python_interface)

    def _cached_run(self, ctx: FlyteContext, inputs: LiteralMap) -> LiteralMap:
        config = LocalConfig.auto()
        if not config.cache_enabled:
            return self.sandbox_execute(ctx, inputs)
        cache = importlib.import_module("flyte_kit.core.local_cache").LocalTaskCache
        metadata = self.metadata
        key = (self.name, metadata.cache_version, inputs, metadata.cache_ignore_input_vars)
        found: LiteralMap | None = None if config.cache_overwrite else cache.get(*key)
        if found is None:
            found = self.sandbox_execute(ctx, inputs)
            cache.set(*key, found)
        return found

    def sandbox_execute(self, ctx: FlyteContext, input_literal_map: LiteralMap) -> LiteralMap:
        """Run it with a working folder and a checkpoint of its own."""
        state = ctx.execution_state
        if state is None:
            raise AssertionError("a local run needs an execution state")
        parameters = (state.user_space_params or ExecutionParameters()).with_task_sandbox()
        inner = FlyteContextManager.current_context().with_execution_state(
            state.with_params(user_space_params=parameters)
        )
        return self.dispatch_execute(inner, input_literal_map)

    def dispatch_execute(self, ctx: FlyteContext, input_literal_map: LiteralMap) -> LiteralMap | DynamicJobSpec:
        """Run it on literals; this is what a container's entrypoint calls."""
        raise NotImplementedError(f"{type(self).__name__}.dispatch_execute is missing")

    def pre_execute(self, user_params: ExecutionParameters | None) -> ExecutionParameters | None:
        """Prepare a run, before inputs are converted; return the parameters that the task sees."""
        return user_params

    def execute(self, **kwargs: Any) -> Any:
        """Run it on plain values."""
        raise NotImplementedError(f"{type(self).__name__}.execute is missing")


class PythonTask(TrackedInstance, Task, Generic[T]):
    """A task with a signature in Python's types; base of tasks that are no functions.

    :param task_config: object that a plugin knows
    :param environment: variables of its container
    :param enable_deck: whether its runs make HTML pages; ``disable_deck`` is the older spelling
    :param deck_fields: which pages
    """

    def __init__(  # noqa: PLR0913 - the arguments of flytekit's class
        self,
        task_type: str,
        name: str,
        task_config: T | None = None,
        interface: Interface | None = None,
        environment: dict[str, str] | None = None,
        disable_deck: bool | None = None,
        enable_deck: bool | None = None,
        deck_fields: tuple[DeckField, ...] | None = ALL_FIELDS,
        **kwargs: Any,
    ) -> None:
        self._python_interface = interface or Interface()
        super().__init__(task_type=task_type, name=name, interface=self._python_interface.typed, **kwargs)
        self._environment = environment or {}
        self._task_config = task_config
        if disable_deck is not None and enable_deck is not None:
            raise ValueError("only one of [disable_deck, enable_deck] can be set")
        self._enable_deck = enable_deck if enable_deck is not None else disable_deck is False
        self._deck_fields = list(deck_fields or ()) if self._enable_deck else []
        unknown = [each for each in self._deck_fields if not isinstance(each, DeckField)]
        if unknown:
            raise ValueError(f"Element {unknown[0]} from deck_fields param is not one of {list(DeckField)}")
        self._docs = with_docstring(self._docs, self._python_interface.docstring)

    @property
    def python_interface(self) -> Interface:
        """Signature in Python's types."""
        return self._python_interface

    @property
    def task_config(self) -> T | None:
        """Object that a plugin knows."""
        return self._task_config

    @property
    def environment(self) -> dict[str, str]:
        """Variables of its container."""
        return self._environment

    @property
    def enable_deck(self) -> bool:
        """Whether its runs make HTML pages."""
        return self._enable_deck

    @property
    def disable_deck(self) -> bool:
        """Whether its runs make no HTML pages."""
        return not self._enable_deck

    @property
    def deck_fields(self) -> list[DeckField]:
        """Which pages its runs make."""
        return self._deck_fields

    def get_type_for_output_var(self, k: str, v: Any) -> Any:
        """Return the type of an output."""
        return self.python_interface.outputs[k]

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of a node that calls it."""
        metadata = self.metadata
        return node_metadata(
            short_name(self.name),
            timeout=metadata.duration,
            retries=metadata.retries,
            interruptible=metadata.interruptible,
        )

    def _literal_map_to_python_input(self, literal_map: LiteralMap, ctx: FlyteContext) -> dict[str, Any]:
        return TypeEngine.literal_map_to_kwargs(ctx, literal_map, self.python_interface.inputs)

    def output_interface(self, ctx: FlyteContext) -> Interface:
        """Return the signature whose outputs a run writes."""
        return self.python_interface

    def dispatch_execute(self, ctx: FlyteContext, input_literal_map: LiteralMap) -> LiteralMap | DynamicJobSpec:
        """Run it: convert inputs, execute, convert outputs, write decks.

        On a local run errors come out as they are, with a note that names the task. In a container they are wrapped,
        so that the entrypoint can tell whose fault they are.

        :raises FlyteUserRuntimeException: in a container, if the task's code failed
        :raises FlyteNonRecoverableSystemException: in a container, if a value could not be converted
        """
        parameters = self.pre_execute(ctx.user_space_params)
        state = ctx.execution_state
        if state is None:
            raise AssertionError("a run needs an execution state")
        if self.enable_deck and parameters is not None:
            parameters = parameters.with_enable_deck(True)
        inner = ctx.with_execution_state(state.with_params(user_space_params=parameters))
        with FlyteContextManager.with_context(inner) as exec_ctx:
            inputs = self._native_inputs(exec_ctx, input_literal_map)
            result = self.post_execute(parameters, self._run(exec_ctx, inputs))
            if isinstance(result, LiteralMap | DynamicJobSpec):
                return result
            return self._native_outputs(exec_ctx, inputs, result)

    def _native_inputs(self, ctx: FlyteContext, literals: LiteralMap) -> dict[str, Any]:
        try:
            return self._literal_map_to_python_input(literals, ctx)
        except _STORAGE:
            raise
        except Exception as error:
            if ctx.local_mode:
                error.args = (f"Error encountered while converting inputs of '{self.name}':\n  {error}",)
                raise
            raise FlyteNonRecoverableSystemException(str(error)) from error

    def _run(self, ctx: FlyteContext, inputs: dict[str, Any]) -> Any:
        try:
            return self.execute(**inputs)
        except Exception as error:
            if ctx.local_mode:
                error.args = (f"Error encountered while executing '{self.name}':\n  {error}",)
                raise
            raise FlyteUserRuntimeException(error) from error

    def _native_outputs(self, ctx: FlyteContext, inputs: dict[str, Any], result: Any) -> LiteralMap:
        interface = self.output_interface(ctx)
        try:
            named = outputs_by_name(interface, result)
            literals = outputs_to_literals(ctx, self.name, interface, named)
            if self.enable_deck:
                self._write_decks(ctx, inputs, named)
            return literals
        except _STORAGE:
            raise
        except Exception as error:
            if ctx.local_mode:
                raise
            raise FlyteNonRecoverableSystemException(str(error)) from error

    def _write_decks(self, ctx: FlyteContext, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        importlib.import_module("flyte_kit.deck.pages").write_pages(ctx, self, inputs, outputs)

    def post_execute(self, user_params: ExecutionParameters | None, rval: Any) -> Any:
        """Clean up after a run, and change what it returned if need be."""
        return rval


class TaskResolverMixin:
    """Finds a task again in a container: it names it at registration and loads it at run time."""

    @property
    def location(self) -> str:
        """Module and variable that hold the resolver."""
        raise NotImplementedError(f"{type(self).__name__}.location is missing")

    def name(self) -> str:
        """Return the resolver's name."""
        raise NotImplementedError(f"{type(self).__name__}.name is missing")

    def load_task(self, loader_args: list[str]) -> Any:
        """Return the task that arguments name."""
        raise NotImplementedError(f"{type(self).__name__}.load_task is missing")

    def loader_args(self, settings: SerializationSettings, t: Any) -> list[str]:
        """Return the arguments that name a task."""
        raise NotImplementedError(f"{type(self).__name__}.loader_args is missing")

    def get_all_tasks(self) -> list[Any]:
        """Return the tasks that it knows."""
        raise NotImplementedError(f"{type(self).__name__}.get_all_tasks is missing")

    def task_name(self, t: Any) -> str | None:
        """Return another name for a task; None keeps its own."""
        return None
