"""What happens when an entity is called: a node is made, or it runs locally, or an execution is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from flyteidl.core.interface_pb2 import VariableMap
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import SimpleType
from flyteidl.core.workflow_pb2 import NodeMetadata

from flyte_kit.core.bindings import Binding, bind
from flyte_kit.core.constants import GLOBAL_INPUT_NODE_ID
from flyte_kit.core.context_manager import (
    BranchEvalMode,
    ExecutionMode,
    ExecutionState,
    FlyteContext,
    FlyteContextManager,
    OutputMetadataTracker,
)
from flyte_kit.core.interface import Interface
from flyte_kit.core.node import Node
from flyte_kit.core.promise import NodeOutput, Promise, VoidPromise, create_task_output, output_tuple
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformerFailedError, run_coroutine
from flyte_kit.exceptions.user import FlyteAssertion
from flyte_kit.loggers import logger
from flyte_kit.transformers.unions import UnionTransformer


class Callable(Protocol):
    """What every entity has."""

    @property
    def name(self) -> str:
        """Full name."""
        ...

    @property
    def python_interface(self) -> Interface:
        """Signature."""
        ...

    def construct_node_metadata(self) -> NodeMetadata:
        """Return the metadata of a node that calls it."""
        ...

    def local_execute(self, ctx: FlyteContext, **kwargs: Any) -> Any:
        """Run it in this process; promises that hold literals come out."""
        ...

    def local_execution_mode(self) -> ExecutionMode:
        """Return the mode of such a run."""
        ...


def call_entity(entity: Any, *args: Any, **kwargs: Any) -> Any:
    """Carry out a call.

    While compiling it makes a node and returns promises. Within a local run it runs and returns promises that hold
    literals. Elsewhere it starts a local run and returns plain values.

    :raises AssertionError: if the arguments do not fit the signature
    """
    inputs = named_arguments(entity, args, kwargs)
    ctx = FlyteContextManager.current_context()
    state = ctx.execution_state
    if _starts_executions(ctx):
        return run_coroutine(ctx.worker_queue.add(entity, input_kwargs=inputs))
    if state is not None and state.mode in {ExecutionMode.TASK_EXECUTION, ExecutionMode.LOCAL_TASK_EXECUTION}:
        logger.error(
            "%s is called within a task: it runs in the same container, not as a task of its own.", entity.name
        )
    if _compiles(ctx):
        return create_and_link_node(ctx, entity, **inputs)
    if state is not None and state.is_local_execution():
        return _call_within_run(ctx, state, entity, inputs)
    return _start_run(ctx, entity, inputs)


async def async_call_entity(entity: Any, *args: Any, **kwargs: Any) -> Any:
    """Carry out the call of an async task; within an eager task on a cluster it awaits an execution."""
    inputs = named_arguments(entity, args, kwargs)
    ctx = FlyteContextManager.current_context()
    if _starts_executions(ctx):
        if ctx.worker_queue is None:
            raise AssertionError("Worker queue missing, must be set when trying to execute tasks in an eager workflow")
        return await ctx.worker_queue.add(entity, input_kwargs=inputs)
    return call_entity(entity, **inputs)


def _compiles(ctx: FlyteContext) -> bool:
    return ctx.compilation_state is not None and ctx.compilation_state.mode == 1


def _starts_executions(ctx: FlyteContext) -> bool:
    """Return whether calls become executions: within an eager task on a cluster, while it compiles no workflow."""
    state = ctx.execution_state
    return state is not None and state.mode is ExecutionMode.EAGER_EXECUTION and not _compiles(ctx)


def named_arguments(entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return all arguments by name.

    :raises AssertionError: naming the argument that does not fit
    """
    names = list(entity.python_interface.inputs_with_defaults)
    unknown = [name for name in kwargs if name not in names]
    if unknown:
        raise AssertionError(
            f"Received unexpected keyword argument '{unknown[0]}' in function '{entity.name}'; it takes {names}"
        )
    if len(args) > len(names):
        raise AssertionError(
            f"Received more arguments than expected in function '{entity.name}'."
            f" Expected {len(names)} but got {len(args)}"
        )
    for name, value in zip(names, args, strict=False):
        if name in kwargs:
            raise AssertionError(f"Got multiple values for argument '{name}' in function '{entity.name}'")
        kwargs[name] = value
    return kwargs


def _call_within_run(ctx: FlyteContext, state: ExecutionState, entity: Any, inputs: dict[str, Any]) -> Any:
    if state.branch_eval_mode is BranchEvalMode.BRANCH_SKIPPED:
        return _skipped(entity)
    inner = ctx.with_execution_state(state.with_params(mode=entity.local_execution_mode()))
    with FlyteContextManager.with_context(inner.with_output_metadata_tracker(OutputMetadataTracker())) as child:
        result = entity.local_execute(child, **inputs)
    if state.mode is ExecutionMode.EAGER_LOCAL_EXECUTION:
        return native_outputs(ctx, result, entity.python_interface)
    return result


def _skipped(entity: Any) -> Any:
    interface: Interface = entity.python_interface
    if not interface.outputs:
        return VoidPromise(entity.name) if interface.inputs else None
    return create_task_output([Promise(name, None) for name in interface.outputs], interface)


def _start_run(ctx: FlyteContext, entity: Any, inputs: dict[str, Any]) -> Any:
    mode = entity.local_execution_mode()
    state = ctx.new_execution_state().with_params(mode=mode)
    inner = ctx.with_execution_state(state).with_output_metadata_tracker(OutputMetadataTracker())
    with FlyteContextManager.with_context(inner) as child:
        if child.user_space_params is not None:
            child.user_space_params.decks.clear()
        result = entity.local_execute(child, **inputs)
    expected = len(entity.python_interface.outputs)
    if expected == 0:
        if result is None or isinstance(result, VoidPromise):
            return None
        raise ValueError(f"Received an output when workflow local execution expected None. Received: {result}")
    if result is None or isinstance(result, VoidPromise) or (expected > 1 and len(result) != expected):
        raise AssertionError(
            f"{entity.name} has outputs {list(entity.python_interface.outputs)}, but returned {result}"
        )
    return native_outputs(ctx, result, entity.python_interface)


def native_outputs(ctx: FlyteContext, result: Any, interface: Interface) -> Any:
    """Return the plain values of promises that hold literals: one value, or a tuple under the outputs' names.

    :raises TypeError: naming the output that cannot be converted
    """
    if result is None or isinstance(result, VoidPromise):
        return None
    if isinstance(result, Promise):
        name, python_type = next(iter(interface.outputs.items()))
        return _native(ctx, result, python_type, name if name != "o0" else 0)
    if not result:
        return None
    values: dict[str, Any] = {}
    for index, promise in enumerate(result):
        if not isinstance(promise, Promise):
            raise AssertionError(  # noqa: TRY004 - as flytekit raises
                "Workflow outputs can only be promises that are returned by tasks. Found a value of "
                f"type {type(promise)}. Workflows cannot return local variables or constants."
            )
        shown = promise.var if promise.var != f"o{index}" else index
        values[promise.var] = _native(ctx, promise, interface.outputs[promise.var], shown)
    return output_tuple(interface.output_tuple_name or "DefaultNamedTupleOutput", tuple(values))(**values)


def _native(ctx: FlyteContext, promise: Promise, python_type: Any, shown: Any) -> Any:
    try:
        return TypeEngine.to_python_value(ctx, promise.resolved(), python_type)
    except (TypeError, ValueError, AssertionError) as error:
        raise TypeError(
            f"Failed to convert output in position {shown}, expected type {python_type}: {error}"
        ) from error


def translate_inputs_to_literals(
    ctx: FlyteContext, incoming_values: Mapping[str, Any], variables: VariableMap, native_types: Mapping[str, Any]
) -> dict[str, Literal]:
    """Return the literals of arguments: plain values, promises that hold literals, and lists and maps of both.

    :raises TypeTransformerFailedError: naming the argument that does not fit
    """
    literals: dict[str, Literal] = {}
    for name, value in incoming_values.items():
        if name not in variables.variables:
            raise AssertionError(f"Received unexpected keyword argument {name}")
        try:
            literals[name] = TypeEngine.to_literal(ctx, value, native_types[name], variables.variables[name].type)
        except TypeTransformerFailedError as error:
            raise TypeTransformerFailedError(f"Failed argument '{name}': {error}") from error
    return literals


def create_and_link_node(
    ctx: FlyteContext,
    entity: Any,
    overridden_interface: Interface | None = None,
    add_node_to_compilation_state: bool = True,
    node_id: str = "",
    **kwargs: Any,
) -> Any:
    """Make a node that calls ``entity``, and return promises of its outputs.

    :param overridden_interface: signature in place of the entity's own, for array nodes
    :param add_node_to_compilation_state: False for a node within another node
    :raises FlyteAssertion: if an input is missing, or one is given that there is not
    """
    state = ctx.compilation_state
    if state is None and add_node_to_compilation_state:
        raise FlyteAssertion("Cannot create node when not compiling...")
    interface: Interface = overridden_interface or entity.python_interface
    typed = interface.typed
    bindings: list[Binding] = []
    upstream: dict[Node, None] = {}
    for name in sorted(interface.inputs_with_defaults):
        variable = typed.inputs.variables[name]
        if variable.type.WhichOneof("type") == "simple" and variable.type.simple == SimpleType.NONE:
            raise TypeError("Arguments do not have type annotation")
        value = kwargs[name] if name in kwargs else _default(entity, interface, name)
        binding = _binding(ctx, entity, name, variable.type, value, interface.inputs_with_defaults[name][0])
        bindings.append(binding)
        upstream.update((output.node, None) for output in binding.outputs() if output.node.id != GLOBAL_INPUT_NODE_ID)
    extra = set(kwargs) - set(interface.inputs_with_defaults)
    if extra:
        raise FlyteAssertion(f"Too many inputs were specified for the interface. Extra inputs were: {sorted(extra)}")
    if not node_id and state is not None and add_node_to_compilation_state:
        node_id = state.next_node_id()
    node = Node(node_id, entity.construct_node_metadata(), bindings, list(upstream), entity)
    if state is not None and add_node_to_compilation_state:
        state.add_node(node)
    if not interface.outputs:
        return VoidPromise(entity.name, NodeOutput(node, "placeholder"))
    promises = [Promise(name, NodeOutput(node, name), typed.outputs.variables[name].type) for name in interface.outputs]
    return create_task_output(promises, interface)


def _default(entity: Any, interface: Interface, name: str) -> Any:
    python_type, default = interface.inputs_with_defaults[name]
    if default is None and not UnionTransformer.is_optional_type(python_type):
        raise FlyteAssertion(f"Input {name} of type {python_type} was not specified for function {entity.name}")
    if isinstance(default, list | dict | set):
        raise FlyteAssertion(
            f"Argument {name} for function {entity.name} is a mutable default argument, which is a python anti-pattern"
            " and not supported in flyte tasks: pass it in the call"
        )
    return default


def _binding(ctx: FlyteContext, entity: Any, name: str, expected: Any, value: Any, python_type: Any) -> Binding:
    if isinstance(value, tuple):
        raise AssertionError(  # noqa: TRY004 - as flytekit raises
            f"Variable({name}) for function({entity.name}) cannot receive a multi-valued tuple {value}."
            " Check if the predecessor function returning more than one value?"
        )
    try:
        return Binding(name, bind(ctx, expected, value, python_type))
    except (AssertionError, TypeError, ValueError) as error:
        error.args = (f"Failed to Bind variable '{name}' for function '{entity.name}':\n {error}",)
        raise
