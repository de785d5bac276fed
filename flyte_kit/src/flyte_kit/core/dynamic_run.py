"""Running a dynamic task: locally its calls run, in a container they become a job for the engine."""

from __future__ import annotations

import importlib
from collections import OrderedDict
from typing import Any

from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_kit.core.calls import translate_inputs_to_literals
from flyte_kit.core.context_manager import CompilationState, ExecutionMode, FlyteContext, FlyteContextManager
from flyte_kit.core.output_literals import outputs_by_name
from flyte_kit.core.promise import VoidPromise
from flyte_kit.core.workflow import (
    PythonFunctionWorkflow,
    WorkflowFailurePolicy,
    WorkflowMetadata,
    WorkflowMetadataDefaults,
    literals_of_outputs,
)
from flyte_kit.exceptions.user import FlyteValueException

NODE_PREFIX = "d"


def dynamic_execute(task: Any, **kwargs: Any) -> Any:
    """Run a dynamic task on plain values.

    :raises ValueError: outside of a run
    """
    ctx = FlyteContextManager.current_context()
    mode = ctx.execution_state.mode if ctx.execution_state is not None else None
    if ctx.local_mode:
        return _run_here(ctx, task, kwargs)
    if mode is ExecutionMode.TASK_EXECUTION:
        return compile_into_job(ctx, task, kwargs)
    raise ValueError(f"Invalid execution provided, execution state: {ctx.execution_state}")


def _workflow(task: Any) -> PythonFunctionWorkflow[Any, Any]:
    return PythonFunctionWorkflow(
        task.task_function,
        metadata=WorkflowMetadata(WorkflowFailurePolicy.FAIL_IMMEDIATELY),
        default_metadata=WorkflowMetadataDefaults(bool(task.metadata.interruptible)),
    )


def _run_here(ctx: FlyteContext, task: Any, kwargs: dict[str, Any]) -> Any:
    state = ctx.new_execution_state().with_params(mode=ExecutionMode.LOCAL_DYNAMIC_TASK_EXECUTION)
    with FlyteContextManager.with_context(ctx.with_execution_state(state)):
        result = task.task_function(**kwargs)
    interface = task.python_interface
    if result is None or isinstance(result, VoidPromise):
        return LiteralMap()
    if not interface.outputs:
        raise FlyteValueException(result, f"{task.name} says it returns nothing.")
    values = outputs_by_name(interface, result)
    return LiteralMap(literals=translate_inputs_to_literals(ctx, values, interface.typed.outputs, interface.outputs))


def compile_into_job(ctx: FlyteContext, task: Any, kwargs: dict[str, Any]) -> DynamicJobSpec | LiteralMap:
    """Return the graph that the task's calls make, or its outputs where it made no call."""
    translator = importlib.import_module("flyte_kit.tools.translator")
    state = ctx.new_execution_state().with_params(mode=ExecutionMode.DYNAMIC_TASK_EXECUTION)
    inner = ctx.with_execution_state(state).with_compilation_state(CompilationState(prefix=NODE_PREFIX))
    entities: OrderedDict[Any, Any] = OrderedDict()
    with FlyteContextManager.with_context(inner):
        workflow = _workflow(task)
        workflow.compile(**kwargs)
        spec = translator.get_serializable(entities, ctx.serialization_settings, workflow)
    if not spec.template.nodes:
        return literals_of_outputs(workflow.output_bindings)
    references = [entity for entity in entities if hasattr(entity, "reference") and hasattr(entity, "task_type")]
    if references:
        raise ValueError(f"Reference tasks are currently unsupported within dynamic tasks: {references[0]}")
    return DynamicJobSpec(
        tasks=[model.template for model in entities.values() if isinstance(model, TaskSpec)],
        nodes=spec.template.nodes,
        min_successes=len(spec.template.nodes),
        outputs=spec.template.outputs,
        subworkflows=spec.sub_workflows,
    )
