"""What dynamic tasks leave: job specifications of small graphs of the task ``t`` of :mod:`driving`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import Binding, BindingData, BindingDataCollection, RetryStrategy, Scalar
from flyteidl.core.tasks_pb2 import TaskMetadata, TaskTemplate
from flyteidl.core.types_pb2 import LiteralType, OutputReference, SimpleType
from flyteidl.core.workflow_pb2 import (
    ArrayNode,
    GateNode,
    Node,
    NodeMetadata,
    SignalCondition,
    TaskNode,
    WorkflowNode,
    WorkflowTemplate,
)

INTEGER = LiteralType(simple=SimpleType.INTEGER)
TASK = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name="t", version="v")


def template(inputs: Sequence[str] = (), *, name: str = "t", type_name: str = "python-task") -> TaskTemplate:
    """Return a task of integers: these inputs, output ``o``."""
    variables = {variable: Variable(type=INTEGER) for variable in inputs}
    return TaskTemplate(
        id=Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name=name, version="v"),
        type=type_name,
        metadata=TaskMetadata(retries=RetryStrategy()),
        interface=TypedInterface(
            inputs=VariableMap(variables=variables), outputs=VariableMap(variables={"o": Variable(type=INTEGER)})
        ),
    )


def promise(variable: str, node_id: str) -> Binding:
    """Return a binding to the output ``o`` of a node."""
    return Binding(var=variable, binding=BindingData(promise=OutputReference(node_id=node_id, var="o")))


def constant(variable: str, value: int) -> Binding:
    """Return a binding to a number."""
    scalar = Scalar()
    scalar.primitive.integer = value
    return Binding(var=variable, binding=BindingData(scalar=scalar))


def node(node_id: str, *after: str, retries: int = 0, timeout: int = 0, task: str = "t") -> Node:
    """Return a node of a task without inputs that waits for these nodes."""
    metadata = NodeMetadata(name=node_id, retries=RetryStrategy(retries=retries))
    if timeout:
        metadata.timeout.FromSeconds(timeout)
    reference = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name=task, version="v")
    return Node(id=node_id, metadata=metadata, upstream_node_ids=after, task_node=TaskNode(reference_id=reference))


def job(*nodes: Node, output: str = "", sub_workflows: Mapping[str, WorkflowTemplate] | None = None) -> DynamicJobSpec:
    """Return the specification of these nodes; its output is that of the last, or of the one that is named."""
    return DynamicJobSpec(
        tasks=[template()],
        nodes=nodes,
        min_successes=len(nodes),
        outputs=[promise("o", output or nodes[-1].id)],
        subworkflows=list((sub_workflows or {}).values()),
    )


def sub_workflow(name: str, *nodes: Node) -> WorkflowTemplate:
    """Return a workflow of these nodes for use within a specification."""
    return WorkflowTemplate(
        id=Identifier(resource_type=ResourceType.WORKFLOW, project="p", domain="d", name=name, version="v"),
        interface=TypedInterface(inputs=VariableMap(), outputs=VariableMap(variables={"o": Variable(type=INTEGER)})),
        nodes=nodes,
        outputs=[promise("o", nodes[-1].id)],
    )


def launching(node_id: str, name: str) -> Node:
    """Return the node of a launch plan."""
    plan = Identifier(resource_type=ResourceType.LAUNCH_PLAN, project="p", domain="d", name=name, version="v")
    return Node(id=node_id, metadata=NodeMetadata(name=node_id), workflow_node=WorkflowNode(launchplan_ref=plan))


def waiting(node_id: str, signal: str) -> Node:
    """Return the node of a gate that waits for a number, which is its output ``o``."""
    gate = GateNode(signal=SignalCondition(signal_id=signal, type=INTEGER, output_variable_name="o"))
    return Node(id=node_id, metadata=NodeMetadata(name=node_id), gate_node=gate)


def mapping(node_id: str, values: list[int], *, task: str = "t") -> Node:
    """Return the node of a map of a task over numbers, its input ``a``; its output ``o`` is a list."""
    items = [constant("", value).binding for value in values]
    binding = Binding(var="a", binding=BindingData(collection=BindingDataCollection(bindings=items)))
    array = ArrayNode(node=node(f"{node_id}-each", task=task), min_success_ratio=1.0)
    return Node(id=node_id, metadata=NodeMetadata(name=node_id), inputs=[binding], array_node=array)


def calling(node_id: str, workflow: WorkflowTemplate) -> Node:
    """Return the node of a sub-workflow."""
    return Node(
        id=node_id, metadata=NodeMetadata(name=node_id), workflow_node=WorkflowNode(sub_workflow_ref=workflow.id)
    )
