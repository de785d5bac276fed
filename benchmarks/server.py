"""Starts `flyte up` for a benchmark and registers programs over the wire."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
from flyteidl.admin.execution_pb2 import (
    ExecutionCreateRequest,
    ExecutionMetadata,
    ExecutionSpec,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest, LaunchPlanSpec
from flyteidl.admin.task_pb2 import TaskCreateRequest, TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowCreateRequest, WorkflowSpec
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, TASK, WORKFLOW, Identifier, WorkflowExecutionIdentifier
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import Binding, BindingData, LiteralMap
from flyteidl.core.tasks_pb2 import Container, TaskMetadata, TaskTemplate
from flyteidl.core.types_pb2 import INTEGER, LiteralType, OutputReference
from flyteidl.core.workflow_pb2 import ArrayNode, Node, NodeMetadata, TaskNode, WorkflowTemplate
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

NOOP = str(Path(__file__).parent / "noop_plugin")
READY_SECONDS = 60
PROJECT = {"project": "flytesnacks", "domain": "development"}


@dataclass
class Up:
    """A running `flyte up`."""

    process: psutil.Popen
    port: int
    config: Path
    seconds_to_ready: float


@contextmanager
def flyte_up(data: Path, *options: str) -> Iterator[Up]:
    """Start `flyte up` with the no-op task type, and end it."""
    ports = free_ports()
    command = [sys.executable, "-m", "flyte_cli", "up", "--data", str(data), *options]
    command += ["--port", str(ports[0]), "--http-port", str(ports[1]), "--s3-port", str(ports[2])]
    environment = {**os.environ, "PYTHONPATH": NOOP + ":" + os.environ.get("PYTHONPATH", "")}
    begin = time.perf_counter()
    process = psutil.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        for line in process.stdout:
            if "ready" in line:
                break
        yield Up(process, ports[0], data / "config.yaml", time.perf_counter() - begin)
    finally:
        process.terminate()
        process.wait(timeout=READY_SECONDS)


def free_ports() -> list[int]:
    """Return three free ports of loopback."""
    probes = [socket.socket() for _ in range(3)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


INTEGER_TYPE = LiteralType(simple=INTEGER)
INTERFACE = TypedInterface(
    inputs=VariableMap(variables={"x": Variable(type=INTEGER_TYPE)}),
    outputs=VariableMap(variables={"o0": Variable(type=INTEGER_TYPE)}),
)


def register(stub: AdminServiceStub, name: str, nodes: list[Node], task_type: str = "noop") -> None:
    """Register the one task and a workflow of these nodes; its output is the last node's."""
    task_id = Identifier(resource_type=TASK, name="bench.noop", version="1", **PROJECT)
    template = TaskTemplate(id=task_id, type=task_type, interface=INTERFACE, metadata=TaskMetadata())
    create(stub.CreateTask, TaskCreateRequest(id=task_id, spec=TaskSpec(template=template)))
    workflow_id = Identifier(resource_type=WORKFLOW, name=name, version="1", **PROJECT)
    output = Binding(var="o0", binding=BindingData(promise=OutputReference(node_id=nodes[-1].id, var="o0")))
    workflow = WorkflowTemplate(id=workflow_id, interface=INTERFACE, nodes=nodes, outputs=[output])
    create(stub.CreateWorkflow, WorkflowCreateRequest(id=workflow_id, spec=WorkflowSpec(template=workflow)))
    plan_id = Identifier(resource_type=LAUNCH_PLAN, name=name, version="1", **PROJECT)
    create(stub.CreateLaunchPlan, LaunchPlanCreateRequest(id=plan_id, spec=LaunchPlanSpec(workflow_id=workflow_id)))


def create(call: grpc.UnaryUnaryMultiCallable[object, object], request: object) -> None:
    """Create, or find that it exists."""
    try:
        call(request)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise


def node(name: str, upstream: str) -> Node:
    """Return a node that takes ``x`` from ``upstream`` (a node's output, or the workflow's input for an empty one)."""
    promise = OutputReference(node_id=upstream, var="o0" if upstream else "x")
    task_id = Identifier(resource_type=TASK, name="bench.noop", version="1", **PROJECT)
    return Node(
        id=name,
        metadata=NodeMetadata(name=name),
        inputs=[Binding(var="x", binding=BindingData(promise=promise))],
        task_node=TaskNode(reference_id=task_id),
    )


def chain(length: int) -> list[Node]:
    """Return nodes one after another."""
    return [node(f"n{i}", f"n{i - 1}" if i else "") for i in range(length)]


def fan(width: int) -> list[Node]:
    """Return nodes side by side."""
    return [node(f"n{i}", "") for i in range(width)]


def shell_fan(stub: AdminServiceStub, name: str, width: int) -> None:
    """Register a workflow of so many tasks side by side, each the program ``true``: no inputs, no outputs."""
    task_id = Identifier(resource_type=TASK, name=f"{name}.true", version="1", **PROJECT)
    container = Container(image="true", command=["true"])
    template = TaskTemplate(
        id=task_id, type="raw-container", interface=TypedInterface(), metadata=TaskMetadata(), container=container
    )
    create(stub.CreateTask, TaskCreateRequest(id=task_id, spec=TaskSpec(template=template)))
    nodes = [
        Node(id=f"n{i}", metadata=NodeMetadata(name=f"n{i}"), task_node=TaskNode(reference_id=task_id))
        for i in range(width)
    ]
    workflow_id = Identifier(resource_type=WORKFLOW, name=name, version="1", **PROJECT)
    workflow = WorkflowTemplate(id=workflow_id, interface=TypedInterface(), nodes=nodes)
    create(stub.CreateWorkflow, WorkflowCreateRequest(id=workflow_id, spec=WorkflowSpec(template=workflow)))
    plan_id = Identifier(resource_type=LAUNCH_PLAN, name=name, version="1", **PROJECT)
    create(stub.CreateLaunchPlan, LaunchPlanCreateRequest(id=plan_id, spec=LaunchPlanSpec(workflow_id=workflow_id)))


def noop_map(stub: AdminServiceStub, name: str) -> None:
    """Register a map of the no-op task over the list ``x``, any number of elements at once."""
    listed = LiteralType(collection_type=INTEGER_TYPE)
    interface = TypedInterface(
        inputs=VariableMap(variables={"x": Variable(type=listed)}),
        outputs=VariableMap(variables={"o0": Variable(type=listed)}),
    )
    task_id = Identifier(resource_type=TASK, name=f"{name}.noop", version="1", **PROJECT)
    template = TaskTemplate(id=task_id, type="noop", interface=interface, metadata=TaskMetadata())
    create(stub.CreateTask, TaskCreateRequest(id=task_id, spec=TaskSpec(template=template)))
    inputs = [Binding(var="x", binding=BindingData(promise=OutputReference(var="x")))]
    element = Node(id="element", inputs=inputs, task_node=TaskNode(reference_id=task_id))
    array = ArrayNode(node=element, parallelism=0, min_success_ratio=1.0)
    mapped = Node(id="n0", metadata=NodeMetadata(name="n0"), inputs=inputs, array_node=array)
    workflow_id = Identifier(resource_type=WORKFLOW, name=name, version="1", **PROJECT)
    workflow = WorkflowTemplate(id=workflow_id, interface=interface, nodes=[mapped])
    workflow.outputs.add(var="o0").binding.promise.CopyFrom(OutputReference(node_id="n0", var="o0"))
    create(stub.CreateWorkflow, WorkflowCreateRequest(id=workflow_id, spec=WorkflowSpec(template=workflow)))
    plan_id = Identifier(resource_type=LAUNCH_PLAN, name=name, version="1", **PROJECT)
    create(stub.CreateLaunchPlan, LaunchPlanCreateRequest(id=plan_id, spec=LaunchPlanSpec(workflow_id=workflow_id)))


def execution_request(plan: str, name: str, max_parallelism: int = 0, x: int | None = 1) -> ExecutionCreateRequest:
    """Return the request for one execution, with an input ``x`` unless that is None."""
    inputs = LiteralMap()
    if x is not None:
        inputs.literals["x"].scalar.primitive.integer = x
    plan_id = Identifier(resource_type=LAUNCH_PLAN, name=plan, version="1", **PROJECT)
    spec = ExecutionSpec(
        launch_plan=plan_id, metadata=ExecutionMetadata(principal="bench"), max_parallelism=max_parallelism
    )
    return ExecutionCreateRequest(name=name, spec=spec, inputs=inputs, **PROJECT)


def wait(stub: AdminServiceStub, name: str, seconds: float = 300) -> WorkflowExecution.Phase:
    """Wait for the end of an execution, looking each 20 ms."""
    wanted = WorkflowExecutionGetRequest(id=WorkflowExecutionIdentifier(name=name, **PROJECT))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        phase = stub.GetExecution(wanted).closure.phase
        if phase in (WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED):
            return phase
        time.sleep(0.02)
    raise TimeoutError(name)
