"""Compiles what a dynamic task made: the nodes of a DynamicJobSpec as a workflow of their own."""

from __future__ import annotations

from collections.abc import Iterable

from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.compiler_pb2 import CompiledTask, CompiledWorkflowClosure
from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.interface_pb2 import TypedInterface, VariableMap
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.workflow_pb2 import WorkflowTemplate

from flyte_core.compiler.lean import lean_interface
from flyte_core.compiler.problems import CompileErrors, Problem
from flyte_core.compiler.references import LaunchPlanInterface, key_of, nodes_of
from flyte_core.compiler.tasks import compile_task
from flyte_core.compiler.workflows import compile_workflow


def compile_dynamic(
    spec: DynamicJobSpec,
    identifier: Identifier,
    maker: TaskTemplate,
    launch_plans: Iterable[LaunchPlanInterface] = (),
) -> CompiledWorkflowClosure:
    """Compile a job specification as upstream does: no inputs, the outputs of the task that made it.

    ``min_successes`` is not looked at: every node must end well (upstream's rule). Containers get the configuration of
    the maker's container behind their own.

    :param identifier: of the workflow that results
    :param maker: the dynamic task
    :param launch_plans: those at least that the nodes refer to
    :raises flyte_core.compiler.CompileErrors: with every problem of the tasks and of the workflow
    """
    problems: list[Problem] = []
    tasks = [_task(task, maker, problems) for task in spec.tasks]
    template = WorkflowTemplate(
        id=identifier,
        interface=TypedInterface(inputs=VariableMap(), outputs=maker.interface.outputs),
        nodes=spec.nodes,
        outputs=spec.outputs,
    )
    workflow = WorkflowSpec(template=template, sub_workflows=spec.subworkflows)
    try:
        closure = compile_workflow(workflow, tasks, launch_plans)
    except CompileErrors as error:
        raise CompileErrors([*problems, *error.problems]) from error
    if problems:
        raise CompileErrors(problems)
    return closure


def _task(task: TaskTemplate, maker: TaskTemplate, problems: list[Problem]) -> CompiledTask:
    """Return the task, lean; one that is incomplete is compiled against all the same, so that no other error hides."""
    lean = TaskTemplate()
    lean.CopyFrom(task)
    if task.HasField("interface"):
        lean.interface.CopyFrom(lean_interface(task.interface))
    if task.WhichOneof("target") == "container" and maker.WhichOneof("target") == "container":
        lean.container.config.extend(maker.container.config)
    try:
        return compile_task(lean)
    except CompileErrors as error:
        problems.extend(error.problems)
        return CompiledTask(template=lean)


def launch_plans_named(spec: DynamicJobSpec) -> list[Identifier]:
    """Return the launch plans that nodes of the specification start, each once."""
    workflow = WorkflowSpec(template=WorkflowTemplate(nodes=spec.nodes), sub_workflows=spec.subworkflows)
    named = {
        key_of(node.workflow_node.launchplan_ref): node.workflow_node.launchplan_ref
        for node in nodes_of(workflow)
        if node.workflow_node.WhichOneof("reference") == "launchplan_ref"
    }
    return list(named.values())
