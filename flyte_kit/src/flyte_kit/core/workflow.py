"""Workflows: graphs that are put together by running a function on promises."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, overload

from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.workflow_pb2 import NodeMetadata
from flyteidl.core.workflow_pb2 import WorkflowMetadata as WorkflowMetadataMessage
from flyteidl.core.workflow_pb2 import WorkflowMetadataDefaults as WorkflowMetadataDefaultsMessage

from flyte_kit.core.base_task import short_name
from flyte_kit.core.bindings import Binding, bind
from flyte_kit.core.calls import call_entity, translate_inputs_to_literals
from flyte_kit.core.class_based_resolver import ClassStorageTaskResolver
from flyte_kit.core.condition import ConditionalSection
from flyte_kit.core.constants import wire_name
from flyte_kit.core.context_manager import (
    CompilationState,
    ExecutionMode,
    FlyteContext,
    FlyteContextManager,
    FlyteEntities,
)
from flyte_kit.core.docstring import Docstring
from flyte_kit.core.documentation import Documentation, with_docstring
from flyte_kit.core.interface import Interface, transform_function_to_interface
from flyte_kit.core.node import Node, input_promise, node_metadata
from flyte_kit.core.options import Options
from flyte_kit.core.promise import Promise, VoidPromise, create_task_output
from flyte_kit.core.python_auto_container import PythonAutoContainerTask
from flyte_kit.core.tracker import extract_task_module
from flyte_kit.core.type_transformer import run_coroutine
from flyte_kit.core.type_variables import P, R
from flyte_kit.exceptions.user import (
    FlyteFailureNodeInputMismatchException,
    FlyteValidationException,
    FlyteValueException,
)
from flyte_kit.transformers.unions import UnionTransformer


class WorkflowFailurePolicy(Enum):
    """What a failing node means for the others."""

    FAIL_IMMEDIATELY = WorkflowMetadataMessage.FAIL_IMMEDIATELY
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = WorkflowMetadataMessage.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE


@dataclass
class WorkflowMetadata:
    """How a workflow is run."""

    on_failure: WorkflowFailurePolicy

    def __post_init__(self) -> None:
        if not isinstance(self.on_failure, WorkflowFailurePolicy):
            raise FlyteValidationException(f"Failure policy {self.on_failure} not acceptable")

    def message(self) -> WorkflowMetadataMessage:
        """Return the metadata as the wire has them."""
        return WorkflowMetadataMessage(on_failure=self.on_failure.value)


@dataclass
class WorkflowMetadataDefaults:
    """What a workflow hands down to its nodes."""

    interruptible: bool

    def __post_init__(self) -> None:
        if not isinstance(self.interruptible, bool):
            raise FlyteValidationException(f"Interruptible must be boolean, {self.interruptible} invalid")

    def message(self) -> WorkflowMetadataDefaultsMessage:
        """Return the defaults as the wire has them."""
        return WorkflowMetadataDefaultsMessage(interruptible=self.interruptible)


class WorkflowBase:
    """A workflow.

    :param on_failure: task or workflow that runs when the workflow has failed
    :param default_options: labels and annotations of its default launch plan
    """

    def __init__(
        self,
        name: str,
        workflow_metadata: WorkflowMetadata,
        workflow_metadata_defaults: WorkflowMetadataDefaults,
        python_interface: Interface,
        on_failure: Any = None,
        docs: Documentation | None = None,
        default_options: Options | None = None,
    ) -> None:
        self._name = name
        self.workflow_metadata = workflow_metadata
        self.workflow_metadata_defaults = workflow_metadata_defaults
        self._python_interface = python_interface
        self.on_failure = on_failure
        self.failure_node: Node | None = None
        self.default_options = default_options
        self.docs = with_docstring(docs, python_interface.docstring)
        self._nodes: list[Node] = []
        self._output_bindings: list[Binding] = []
        FlyteEntities.entities.append(self)

    @property
    def name(self) -> str:
        """Full name."""
        return self._name

    @property
    def short_name(self) -> str:
        """Last part of the name."""
        return short_name(self._name)

    @property
    def python_interface(self) -> Interface:
        """Signature in Python's types."""
        return self._python_interface

    @property
    def interface(self) -> TypedInterface:
        """Signature on the wire."""
        return self._python_interface.typed

    @property
    def nodes(self) -> list[Node]:
        """Its calls."""
        self.compile()
        return self._nodes

    @property
    def output_bindings(self) -> list[Binding]:
        """What its outputs are tied to."""
        self.compile()
        return self._output_bindings

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of a node that calls it."""
        return node_metadata(short_name(self.name), interruptible=self.workflow_metadata_defaults.interruptible)

    def compile(self, **kwargs: Any) -> None:
        """Put the graph together, once."""

    def execute(self, **kwargs: Any) -> Any:
        """Run it on promises that hold literals."""
        raise NotImplementedError(f"{type(self).__name__}.execute is missing")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it: see :func:`flyte_kit.core.calls.call_entity`. A failure handler runs on a local run too."""
        given = dict(zip(self.python_interface.inputs_with_defaults, args, strict=False))
        inputs = {n: v for n, v in self.python_interface.default_inputs_as_kwargs.items() if n not in given} | kwargs
        state = FlyteContextManager.current_context().execution_state
        if state is None or state.mode is not ExecutionMode.EAGER_EXECUTION:
            self.compile()
        try:
            return call_entity(self, *args, **inputs)
        except Exception as error:
            if self.on_failure is not None:
                self._handle_failure({**given, **inputs}, error)
            raise

    def _handle_failure(self, inputs: dict[str, Any], error: Exception) -> None:
        if "err" in self.on_failure.python_interface.inputs:
            failure = importlib.import_module("flyte_kit.types.error").FlyteError
            node_id = self.failure_node.id if self.failure_node else ""
            inputs["err"] = failure(failed_node_id=node_id, message=str(error))
        self.on_failure(**inputs)

    def local_execute(self, ctx: FlyteContext, **kwargs: Any) -> Any:
        """Run it in this process, through literals as on a cluster."""
        literals = translate_inputs_to_literals(ctx, kwargs, self.interface.inputs, self.python_interface.inputs)
        self.compile()
        result = self.execute(**{name: Promise(name, literal) for name, literal in literals.items()})
        if hasattr(result, "__await__"):
            result = run_coroutine(result)
        names = list(self.python_interface.outputs)
        if result is None or isinstance(result, VoidPromise):
            if names:
                raise FlyteValueException(result, f"{self.name} says it returns {len(names)} outputs.")
            return VoidPromise(self.name)
        if not names:
            raise FlyteValueException(result, f"{self.name} says it returns nothing.")
        outputs = translate_inputs_to_literals(
            ctx, self._named(result), self.interface.outputs, self.python_interface.outputs
        )
        return create_task_output([Promise(name, outputs[name]) for name in names], self.python_interface)

    def _named(self, result: Any) -> dict[str, Any]:
        names = list(self.python_interface.outputs)
        if len(names) == 1:
            single = self.python_interface.output_tuple_name and isinstance(result, tuple)
            return {names[0]: result[0] if single else result}
        return dict(zip(names, result, strict=True))

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of a local run."""
        return ExecutionMode.LOCAL_WORKFLOW_EXECUTION

    def check_failure_handler(self, handler: Any) -> None:
        """Check that a handler takes every input; what else it takes must be optional.

        :raises FlyteFailureNodeInputMismatchException: if it does not
        """
        own, its = self.python_interface.inputs, handler.python_interface.inputs
        missing = any(name not in its or its[name] != t for name, t in own.items())
        if missing or any(not UnionTransformer.is_optional_type(its[name]) for name in its.keys() - own.keys()):
            raise FlyteFailureNodeInputMismatchException(handler, self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name})"


class PythonFunctionWorkflow(  # type: ignore[misc] # its name is a workflow's, not a resolver's
    WorkflowBase, ClassStorageTaskResolver, Generic[P, R]
):
    """A function as a workflow; ``@workflow`` makes it. It resolves the tasks that its body defines."""

    def __init__(  # noqa: PLR0913 - the arguments of flytekit's class
        self,
        workflow_function: Callable[P, R],
        metadata: WorkflowMetadata,
        default_metadata: WorkflowMetadataDefaults,
        docstring: Docstring | None = None,
        on_failure: Any = None,
        docs: Documentation | None = None,
        pickle_untyped: bool = False,
        default_options: Options | None = None,
    ) -> None:
        ClassStorageTaskResolver.__init__(self)
        WorkflowBase.__init__(
            self,
            extract_task_module(workflow_function)[0],
            metadata,
            default_metadata,
            transform_function_to_interface(workflow_function, docstring=docstring, pickle_untyped=pickle_untyped),
            on_failure,
            docs,
            default_options,
        )
        self._workflow_function = workflow_function
        self._lhs = workflow_function.__name__
        self.compiled = False

    @property
    def function(self) -> Callable[P, R]:
        """The function."""
        return self._workflow_function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it: see :func:`flyte_kit.core.calls.call_entity`."""
        result: R = super().__call__(*args, **kwargs)
        return result

    def task_name(self, t: Any) -> str | None:
        """Return the name of a task that the body defines."""
        return f"{self.name}.{wire_name(t.__module__)}.{t.name}"

    def get_all_tasks(self) -> list[Any]:
        """Return the tasks that the body defines: in a container nothing but this puts the graph together."""
        self.compile()
        return self.mapping

    def compile(self, **kwargs: Any) -> None:
        """Run the function on promises.

        :param kwargs: plain values in place of promises, for dynamic tasks
        """
        if self.compiled:
            return
        self.compiled = True  # before it is: the body may come back here
        try:
            self._put_together(kwargs)
        except BaseException:
            self.compiled = False  # or the next who asks gets a graph without nodes
            raise

    def _put_together(self, given: dict[str, Any]) -> None:
        ctx = FlyteContextManager.current_context()
        outer = ctx.compilation_state
        prefix = outer.prefix if outer is not None else ""
        resolver = outer.task_resolver if outer is not None and outer.task_resolver is not None else self
        state = CompilationState(prefix=prefix, task_resolver=resolver)
        with FlyteContextManager.with_context(ctx.with_compilation_state(state)) as inner:
            inputs = {name: input_promise(name) for name in self.python_interface.inputs_with_defaults} | given
            function: Callable[..., Any] = self._workflow_function
            outputs = function(**inputs)
            for node in state.nodes:
                entity = node.flyte_entity
                if isinstance(entity, PythonAutoContainerTask) and entity.task_resolver is self:
                    self.add(entity)
            if self.on_failure is not None:
                self._compile_failure_node(inner, prefix, resolver, inputs)
        self._nodes = list(state.nodes)
        self._output_bindings = self._bind_outputs(ctx, outputs)

    def _compile_failure_node(self, ctx: FlyteContext, prefix: str, resolver: Any, inputs: dict[str, Any]) -> None:
        state = CompilationState(prefix=prefix + "f", task_resolver=resolver)
        with FlyteContextManager.with_context(ctx.with_compilation_state(state)):
            self.check_failure_handler(self.on_failure)
            self.on_failure(**inputs)
        if len(state.nodes) != 1:
            raise AssertionError("Unable to compile failure node, only either a task or a workflow can be used")
        self.failure_node = state.nodes[0]

    def _bind_outputs(self, ctx: FlyteContext, outputs: Any) -> list[Binding]:
        bindings = []
        for name, value in self._returned(outputs).items():
            if isinstance(value, ConditionalSection):
                raise AssertionError("A Conditional block (if-else) should always end with an `else_()` clause")  # noqa: TRY004 - as flytekit raises
            expected = self.interface.outputs.variables[name].type
            try:
                tree = bind(ctx, expected, value, self.python_interface.outputs[name])
            except (AssertionError, TypeError, ValueError) as error:
                raise FlyteValidationException(
                    f"Failed to bind output {name} for function {self.name}: {error}"
                ) from error
            bindings.append(Binding(name, tree))
        return bindings

    def _returned(self, outputs: Any) -> dict[str, Any]:
        names = list(self.python_interface.outputs)
        if not names:
            return {}
        if len(names) == 1:
            if isinstance(outputs, tuple):
                if len(outputs) != 1:
                    raise AssertionError(f"{self.name} says it returns one value, but returned {len(outputs)}")
                if self.python_interface.output_tuple_name is None:
                    raise AssertionError(f"{self.name} says it returns no tuple, but returned one")
                outputs = outputs[0]
            return {names[0]: outputs}
        if not isinstance(outputs, tuple):
            raise AssertionError(f"{self.name} says it returns {len(names)} values, but returned only one")  # noqa: TRY004 - as flytekit raises
        if len(outputs) != len(names):
            raise ValueError(f"Length mismatch {len(names)} vs {len(outputs)}")
        return dict(zip(names, outputs, strict=True))

    def execute(self, **kwargs: Any) -> Any:
        """Run the function on promises that hold literals."""
        return self._workflow_function(**kwargs)  # type: ignore[call-arg]


def literals_of_outputs(bindings: list[Binding]) -> LiteralMap:
    """Return outputs that are tied to constants only.

    :raises FlyteValidationException: if one is tied to a node
    """
    result = LiteralMap()

    def refuse(output: Any) -> Any:
        raise FlyteValidationException(f"{output} has no value yet")

    for binding in bindings:
        result.literals[binding.var].CopyFrom(binding.literal(refuse))
    return result


@overload
def workflow(
    _workflow_function: None = ...,
    failure_policy: WorkflowFailurePolicy | None = ...,
    interruptible: bool = ...,
    on_failure: Any = ...,
    docs: Documentation | None = ...,
    pickle_untyped: bool = ...,
    default_options: Options | None = ...,
) -> Callable[[Callable[P, R]], PythonFunctionWorkflow[P, R]]: ...


@overload
def workflow(
    _workflow_function: Callable[P, R],
    failure_policy: WorkflowFailurePolicy | None = ...,
    interruptible: bool = ...,
    on_failure: Any = ...,
    docs: Documentation | None = ...,
    pickle_untyped: bool = ...,
    default_options: Options | None = ...,
) -> PythonFunctionWorkflow[P, R]: ...


def workflow(
    _workflow_function: Callable[..., Any] | None = None,
    failure_policy: WorkflowFailurePolicy | None = None,
    interruptible: bool = False,
    on_failure: Any = None,
    docs: Documentation | None = None,
    pickle_untyped: bool = False,
    default_options: Options | None = None,
) -> Any:
    """Make a workflow of a function.

    The body runs once, when the workflow is put together: its calls become nodes, its values are promises.

    :param failure_policy: what a failing node means for the others
    :param interruptible: whether its nodes may run on machines that can be taken away
    :param on_failure: task or workflow that runs when the workflow has failed; it takes the same inputs
    :param pickle_untyped: parameters without annotation are pickles
    :param default_options: labels and annotations of its default launch plan
    """

    def wrapper(function: Callable[..., Any]) -> PythonFunctionWorkflow[Any, Any]:
        made: PythonFunctionWorkflow[Any, Any] = PythonFunctionWorkflow(
            function,
            metadata=WorkflowMetadata(failure_policy or WorkflowFailurePolicy.FAIL_IMMEDIATELY),
            default_metadata=WorkflowMetadataDefaults(interruptible),
            docstring=Docstring(callable_=function),
            on_failure=on_failure,
            docs=docs,
            pickle_untyped=pickle_untyped,
            default_options=default_options,
        )
        for name in ("__doc__", "__name__", "__qualname__", "__module__", "__wrapped__"):
            setattr(made, name, function if name == "__wrapped__" else getattr(function, name, None))
        return made

    return wrapper(_workflow_function) if _workflow_function is not None else wrapper


def __getattr__(name: str) -> Any:
    # flytekit has these here; here they are modules of their own.
    homes = {
        "ImperativeWorkflow": "flyte_kit.core.imperative_workflow",
        "ReferenceWorkflow": "flyte_kit.core.reference_workflow",
        "reference_workflow": "flyte_kit.core.reference_workflow",
    }
    if name in homes:
        return getattr(importlib.import_module(homes[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
