"""Compiles a workflow and the sub-workflows it uses into one closure."""

from __future__ import annotations

from collections.abc import Iterable

from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.compiler_pb2 import CompiledTask, CompiledWorkflow, CompiledWorkflowClosure
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.workflow_pb2 import Node, WorkflowNode, WorkflowTemplate

from flyte_core.compiler.bindings import BindingCheck
from flyte_core.compiler.conditions import check_branch
from flyte_core.compiler.edges import draw_edges
from flyte_core.compiler.interfaces import (
    UNKNOWN,
    NodeInterface,
    Types,
    array_interface,
    common_outputs,
    from_typed,
    gate_interface,
    variable_types,
    with_aliases,
)
from flyte_core.compiler.problems import Code, Problems
from flyte_core.compiler.references import Key, LaunchPlanInterface, References, key_of, text_of
from flyte_core.compiler.tree import Tree, build_tree, case_nodes
from flyte_core.paths import END_NODE, START_NODE


def compile_workflow(
    workflow: WorkflowSpec,
    tasks: Iterable[CompiledTask] = (),
    launch_plans: Iterable[LaunchPlanInterface | tuple[Identifier, TypedInterface]] = (),
) -> CompiledWorkflowClosure:
    """Compile a workflow with the sub-workflows that come with it.

    The closure holds what is used, each thing once, sorted by identifier; ``launch_plans`` in it stays empty, as
    upstream leaves it.

    :param tasks: the registered tasks at least that the nodes refer to
    :param launch_plans: the registered launch plans at least that the nodes refer to
    :raises flyte_core.compiler.CompileErrors: with every problem of the workflow and of its sub-workflows
    """
    problems = Problems()
    compilation = _Compilation(workflow, References(tasks, launch_plans), problems)
    primary = compilation.compile(workflow.template, problems)
    problems.raise_any()
    return CompiledWorkflowClosure(
        primary=primary, sub_workflows=compilation.sub_workflows(), tasks=compilation.references.used_tasks()
    )


class _Compilation:
    """One run of the compiler: what is compiled already, and what is being compiled."""

    def __init__(self, workflow: WorkflowSpec, references: References, problems: Problems) -> None:
        self.references = references
        self._templates: dict[Key, WorkflowTemplate] = {}
        for template in workflow.sub_workflows:
            key = key_of(template.id)
            if key in self._templates:
                message = f"Sub-workflow [{text_of(template.id)}] is given more than once."
                problems.add(Code.DUPLICATE_ID, template.id.name, message)
            self._templates[key] = template
        self._compiled: dict[Key, CompiledWorkflow] = {}
        self._open: list[Key] = [key_of(workflow.template.id)]
        self._interfaces: dict[bytes, NodeInterface] = {}

    def sub_workflows(self) -> list[CompiledWorkflow]:
        """Return the sub-workflows that are used, by identifier."""
        return [self._compiled[key] for key in sorted(self._compiled)]

    def compile(self, template: WorkflowTemplate, problems: Problems) -> CompiledWorkflow:
        """Compile one workflow, and first the sub-workflows that its nodes refer to."""
        tree = build_tree(template, problems)
        if not tree.top:
            problems.add(Code.NO_NODES_FOUND, template.id.name, "The workflow has no nodes.")
        edges = draw_edges(tree, problems)
        outputs: dict[str, Types] = {START_NODE: variable_types(template.interface.inputs)}
        check = BindingCheck(outputs, problems)
        for node_id in edges.order:
            found = self._check_node(tree.top[node_id], check).outputs
            if found is not None:
                outputs[node_id] = found
        _check_end(tree, check)
        if tree.template.HasField("failure_node"):
            self._check_node(tree.template.failure_node, check)
        return CompiledWorkflow(template=tree.template, connections=edges.connections())

    def _check_node(self, node: Node, check: BindingCheck) -> NodeInterface:
        interface = self._interface(node, check)
        check.check(node.id, node.inputs, interface)
        return with_aliases(interface, node, check.problems)

    def _interface(self, node: Node, check: BindingCheck) -> NodeInterface:
        problems = check.problems
        match node.WhichOneof("target"):
            case "task_node":
                return self._task_interface(node, problems)
            case "workflow_node":
                return self._workflow_interface(node.id, node.workflow_node, problems)
            case "gate_node":
                return gate_interface(node.gate_node, node.id, _bound(node, check), problems)
            case "array_node":
                return array_interface(node.array_node, self._element_interface(node, check))
            case "branch_node":
                check_branch(node.branch_node, node.id, _bound(node, check), problems)
                cases = [self._check_node(case, check) for case in case_nodes(node.branch_node)]
                return NodeInterface(outputs=common_outputs(cases))
            case _:
                message = "The node has no task, workflow, branch, gate or array."
                problems.add(Code.UNRECOGNIZED_VALUE, node.id, message)
                return UNKNOWN

    def _element_interface(self, node: Node, check: BindingCheck) -> NodeInterface:
        element = node.array_node.node
        if element.WhichOneof("target") in ("branch_node", None):
            message = "The sub-node of an array node must be a task, a workflow or a launch plan."
            check.problems.add(Code.UNRECOGNIZED_VALUE, node.id, message)
            return UNKNOWN
        return self._interface(element, check)

    def _task_interface(self, node: Node, problems: Problems) -> NodeInterface:
        identifier = node.task_node.reference_id
        task = self.references.task(identifier)
        if task is None:
            message = f"Referenced Task [{text_of(identifier)}] not found."
            problems.add(Code.TASK_REFERENCE_NOT_FOUND, node.id, message)
            return UNKNOWN
        return self._cached(b"task", identifier, task.template.interface)

    def _cached(self, kind: bytes, identifier: Identifier, interface: TypedInterface) -> NodeInterface:
        key = kind + identifier.SerializeToString()
        if key not in self._interfaces:
            self._interfaces[key] = from_typed(interface)
        return self._interfaces[key]

    def _workflow_interface(self, node_id: str, node: WorkflowNode, problems: Problems) -> NodeInterface:
        match node.WhichOneof("reference"):
            case "launchplan_ref":
                plan = self.references.launch_plan(node.launchplan_ref)
                if plan is not None:
                    return from_typed(plan.interface, plan.defaulted)
                reference = f"Launch plan [{text_of(node.launchplan_ref)}]"
            case "sub_workflow_ref":
                if key_of(node.sub_workflow_ref) in self._templates:
                    return self._sub_workflow(node_id, node.sub_workflow_ref, problems)
                reference = f"Workflow [{text_of(node.sub_workflow_ref)}]"
            case _:
                problems.add(Code.VALUE_REQUIRED, node_id, "Value required [workflow_node.reference].")
                return UNKNOWN
        problems.add(Code.WORKFLOW_REFERENCE_NOT_FOUND, node_id, f"Referenced {reference} not found.")
        return UNKNOWN

    def _sub_workflow(self, node_id: str, identifier: Identifier, problems: Problems) -> NodeInterface:
        key = key_of(identifier)
        template = self._templates[key]
        if key in self._open:
            around = " -> ".join(":".join(each) for each in [*self._open[self._open.index(key) :], key])
            problems.add(Code.CYCLE_DETECTED, node_id, f"Sub-workflow contains itself: [{around}].")
        elif key not in self._compiled:
            self._open.append(key)
            self._compiled[key] = self.compile(template, problems.inside(template.id.name))
            self._open.pop()
        return self._cached(b"workflow", identifier, template.interface)


def _bound(node: Node, check: BindingCheck) -> Types:
    return {binding.var: check.type_of(binding.binding) for binding in node.inputs}


def _check_end(tree: Tree, check: BindingCheck) -> None:
    wanted = NodeInterface(variable_types(tree.template.interface.outputs))
    check.check(END_NODE, tree.template.outputs, wanted)
