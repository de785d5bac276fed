"""Builds and registers small workflows over the wire, without an SDK."""

from __future__ import annotations

from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionMetadata, ExecutionSpec
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest, LaunchPlanSpec
from flyteidl.admin.task_pb2 import TaskCreateRequest, TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowCreateRequest, WorkflowSpec
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, TASK, WORKFLOW, Identifier
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import Binding, BindingData, Literal, LiteralMap, Primitive, Scalar
from flyteidl.core.tasks_pb2 import Container, TaskMetadata, TaskTemplate
from flyteidl.core.types_pb2 import INTEGER, LiteralType, OutputReference
from flyteidl.core.workflow_pb2 import Node, NodeMetadata, TaskNode, WorkflowTemplate
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

WHERE = {"project": "flytesnacks", "domain": "development"}
INTEGER_TYPE = LiteralType(simple=INTEGER)
INTERFACE = TypedInterface(
    inputs=VariableMap(variables={"x": Variable(type=INTEGER_TYPE)}),
    outputs=VariableMap(variables={"o0": Variable(type=INTEGER_TYPE)}),
)


def task_request(name: str, task_type: str = "raw-container", **where: str) -> TaskCreateRequest:
    identifier = Identifier(resource_type=TASK, name=name, version="1", **{**WHERE, **where})
    template = TaskTemplate(
        id=identifier,
        type=task_type,
        interface=INTERFACE,
        metadata=TaskMetadata(),
        container=Container(image="any", command=["false"]),
    )
    return TaskCreateRequest(id=identifier, spec=TaskSpec(template=template))


def node(name: str, task: str, upstream: str = "", after: tuple[str, ...] = ()) -> Node:
    promise = OutputReference(node_id=upstream, var="o0" if upstream else "x")
    return Node(
        id=name,
        metadata=NodeMetadata(name=name),
        inputs=[Binding(var="x", binding=BindingData(promise=promise))],
        upstream_node_ids=after,
        task_node=TaskNode(reference_id=Identifier(resource_type=TASK, name=task, version="1", **WHERE)),
    )


def workflow_request(name: str, nodes: list[Node]) -> WorkflowCreateRequest:
    identifier = Identifier(resource_type=WORKFLOW, name=name, version="1", **WHERE)
    output = Binding(var="o0", binding=BindingData(promise=OutputReference(node_id=nodes[-1].id, var="o0")))
    template = WorkflowTemplate(id=identifier, interface=INTERFACE, nodes=nodes, outputs=[output])
    return WorkflowCreateRequest(id=identifier, spec=WorkflowSpec(template=template))


def register(admin: AdminServiceStub, name: str, nodes: list[Node]) -> None:
    """Register the workflow and its launch plan; its tasks must exist."""
    request = workflow_request(name, nodes)
    admin.CreateWorkflow(request)
    plan = Identifier(resource_type=LAUNCH_PLAN, name=name, version="1", **WHERE)
    admin.CreateLaunchPlan(LaunchPlanCreateRequest(id=plan, spec=LaunchPlanSpec(workflow_id=request.id)))


def integer(value: int) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(integer=value)))


def execution_request(plan: str, name: str, inputs: dict[str, Literal] | None = None) -> ExecutionCreateRequest:
    identifier = Identifier(resource_type=LAUNCH_PLAN, name=plan, version="1", **WHERE)
    spec = ExecutionSpec(launch_plan=identifier, metadata=ExecutionMetadata(principal="test"))
    given = {"x": integer(1)} if inputs is None else inputs
    return ExecutionCreateRequest(name=name, spec=spec, inputs=LiteralMap(literals=given), **WHERE)
