"""Tasks must be complete; and workflows of any length compile in time that is linear in it."""

import time

import pytest
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import Binding, BindingData
from flyteidl.core.tasks_pb2 import Container, K8sPod, TaskTemplate
from flyteidl.core.types_pb2 import LiteralType, OutputReference, SimpleType
from flyteidl.core.workflow_pb2 import Node, TaskNode, WorkflowTemplate

from flyte_core.compiler import CompileErrors, compile_task, compile_workflow

TASK = Identifier(resource_type=ResourceType.TASK, project="p", domain="d", name="step", version="1")
INT = LiteralType(simple=SimpleType.INTEGER)


def missing(template):
    with pytest.raises(CompileErrors) as caught:
        compile_task(template)
    return [problem.description for problem in caught.value.problems]


def test_a_task_must_be_complete():
    untyped = TypedInterface(inputs=VariableMap(variables={"x": Variable()}))
    assert missing(TaskTemplate(id=TASK, type="python-task", container=Container(), interface=untyped)) == [
        "Value required [interface.inputs.x.type].",
        "Value required [container.image].",
    ]
    assert missing(TaskTemplate(k8s_pod=K8sPod())) == [
        "Value required [id.name].",
        "Value required [type].",
        "Value required [k8s_pod.pod_spec].",
    ]


def chain(length):
    def bound(i):
        source = OutputReference(node_id=f"n{i - 1}", var="o0") if i else OutputReference(var="start")
        return [Binding(var="x", binding=BindingData(promise=source))]

    nodes = [Node(id=f"n{i}", task_node=TaskNode(reference_id=TASK), inputs=bound(i)) for i in range(length)]
    inputs = VariableMap(variables={"start": Variable(type=INT)})
    return WorkflowSpec(template=WorkflowTemplate(interface=TypedInterface(inputs=inputs), nodes=nodes))


def test_a_chain_of_ten_thousand_nodes_compiles_within_two_seconds():
    one_int = VariableMap(variables={"x": Variable(type=INT)})
    outputs = VariableMap(variables={"o0": Variable(type=INT)})
    task = compile_task(TaskTemplate(id=TASK, type="t", interface=TypedInterface(inputs=one_int, outputs=outputs)))
    spec = chain(10_000)
    started = time.perf_counter()
    closure = compile_workflow(spec, [task])
    assert time.perf_counter() - started < 2
    assert closure.primary.connections.upstream["n9999"].ids == ["n9998"]
