"""Job specifications of dynamic tasks compile into workflows of their own, with every problem told at once."""

from __future__ import annotations

import pytest
from flyteidl.admin.launch_plan_pb2 import LaunchPlanClosure
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import Parameter, ParameterMap, TypedInterface, Variable, VariableMap
from flyteidl.core.literals_pb2 import KeyValuePair
from flyteidl.core.tasks_pb2 import Container, TaskTemplate

from flyte_core.compiler import Code, CompileErrors, compile_dynamic, launch_plan_interface, launch_plans_named
from job_specs import INTEGER, calling, constant, job, launching, node, promise, sub_workflow, template

IDENTIFIER = Identifier(
    resource_type=ResourceType.WORKFLOW, project="p", domain="d", name="dynamic_n0", version="abcdefghij"
)


def in_container(task: TaskTemplate, **config: str) -> TaskTemplate:
    pairs = [KeyValuePair(key=key, value=value) for key, value in config.items()]
    task.container.CopyFrom(Container(image="i", config=pairs))
    return task


def test_the_workflow_has_no_inputs_and_the_outputs_of_its_maker() -> None:
    primary = compile_dynamic(job(node("dn0"), node("dn1", "dn0")), IDENTIFIER, template(["a"])).primary
    assert primary.template.id == IDENTIFIER
    wanted = TypedInterface(inputs=VariableMap(), outputs=template().interface.outputs)
    assert primary.template.interface == wanted
    assert [each.id for each in primary.template.nodes] == ["start-node", "end-node", "dn0", "dn1"]
    assert list(primary.connections.upstream["end-node"].ids) == ["dn1"]


def test_containers_get_the_configuration_of_their_makers_behind_their_own() -> None:
    spec = job(node("dn0"))
    in_container(spec.tasks[0], queue="own")
    closure = compile_dynamic(spec, IDENTIFIER, in_container(template(), child_queue="makers"))
    config = closure.tasks[0].template.container.config
    assert [(pair.key, pair.value) for pair in config] == [("queue", "own"), ("child_queue", "makers")]
    assert len(spec.tasks[0].container.config) == 1, "what was given is not changed"


def test_descriptions_of_variables_are_left_out() -> None:
    spec = job(node("dn0"))
    spec.tasks[0].interface.outputs.variables["o"].description = "long"
    closure = compile_dynamic(spec, IDENTIFIER, template())
    assert closure.tasks[0].template.interface.outputs.variables["o"].description == ""


def test_problems_of_tasks_and_of_the_workflow_are_told_together() -> None:
    spec = job(node("dn0"), node("dn1", task="unknown"))
    spec.tasks[0].type = ""
    spec.nodes[0].inputs.append(promise("a", "nowhere"))
    with pytest.raises(CompileErrors) as caught:
        compile_dynamic(spec, IDENTIFIER, template())
    assert [(problem.code, problem.node_id) for problem in caught.value.problems][:2] == [
        (Code.VALUE_REQUIRED, "t"),
        (Code.NODE_REFERENCE_NOT_FOUND, "dn0"),
    ]
    assert Code.TASK_REFERENCE_NOT_FOUND in {problem.code for problem in caught.value.problems}


def test_an_output_that_the_maker_does_not_promise_is_a_problem() -> None:
    spec = job(node("dn0"))
    spec.outputs.append(constant("more", 1))
    with pytest.raises(CompileErrors) as caught:
        compile_dynamic(spec, IDENTIFIER, template())
    assert [problem.code for problem in caught.value.problems] == [Code.VARIABLE_NAME_NOT_FOUND]


def test_launch_plans_are_named_once_wherever_they_are() -> None:
    inner = sub_workflow("w", launching("n0", "deep"), launching("n1", "twice"))
    spec = job(launching("dn0", "twice"), calling("dn1", inner), sub_workflows={"w": inner})
    assert sorted(plan.name for plan in launch_plans_named(spec)) == ["deep", "twice"]


def test_a_launch_plan_is_checked_by_what_is_registered() -> None:
    parameters = {"x": Parameter(var=Variable(type=INTEGER), required=True)}
    outputs = VariableMap(variables={"o": Variable(type=INTEGER)})
    closure = LaunchPlanClosure(expected_inputs=ParameterMap(parameters=parameters), expected_outputs=outputs)
    spec = job(launching("dn0", "plan"))
    plans = [launch_plan_interface(identifier, closure) for identifier in launch_plans_named(spec)]
    with pytest.raises(CompileErrors) as caught:
        compile_dynamic(spec, IDENTIFIER, template(), plans)
    assert [problem.code for problem in caught.value.problems] == [Code.PARAMETER_NOT_BOUND]
    spec.nodes[0].inputs.append(constant("x", 1))
    assert compile_dynamic(spec, IDENTIFIER, template(), plans).primary.template.id == IDENTIFIER
