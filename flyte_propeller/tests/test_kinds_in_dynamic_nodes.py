"""What a dynamic task makes may hold nodes of every kind: launch plans, gates, sub-workflows with failure nodes."""

from __future__ import annotations

from flyteidl.admin.execution_pb2 import ExecutionClosure
from flyteidl.admin.launch_plan_pb2 import LaunchPlan, LaunchPlanClosure
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.interface_pb2 import Parameter, ParameterMap, Variable, VariableMap
from flyteidl.core.literals_pb2 import LiteralMap

from driving import SUCCESS, Driven, failed, integer, task, workflow
from flyte_core.identifiers import child_execution_name
from job_specs import INTEGER, calling, constant, job, launching, node, promise, sub_workflow, template, waiting


def dynamic() -> Driven:
    output = {"var": "o", "binding": {"promise": {"nodeId": "n0", "var": "o"}}}
    return Driven(workflow({"n0": task()}, outputs=[output]))


def registered(*, required: bool) -> LaunchPlan:
    """Return a launch plan with input ``x`` and output ``o``."""
    variables = {"x": Parameter(var=Variable(type=INTEGER), required=required)}
    outputs = VariableMap(variables={"o": Variable(type=INTEGER)})
    closure = LaunchPlanClosure(expected_inputs=ParameterMap(parameters=variables), expected_outputs=outputs)
    return LaunchPlan(closure=closure)


async def test_a_launch_plan_starts_an_execution_whose_outputs_go_on() -> None:
    driven = await dynamic().start()
    driven.admin.launch_plans["plan"] = registered(required=True)
    launch = launching("dn0", "plan")
    launch.inputs.append(constant("x", 4))
    after = node("dn1", "dn0", task="t1")
    after.inputs.append(promise("a", "dn0"))
    spec = job(launch, after)
    spec.tasks.append(template(["a"], name="t1"))
    await driven.make("n0", spec)
    child = child_execution_name("x", "n0-0-dn0", 0)
    assert driven.admin.children[child].inputs == LiteralMap(literals={"x": integer(4)})
    driven.new_propeller()
    outputs = {"values": LiteralMap(literals={"o": integer(7)})}
    driven.admin.closures[child] = ExecutionClosure(phase=WorkflowExecution.SUCCEEDED, outputs=outputs)
    await driven.attend()
    await driven.show("n0-0-dn1", SUCCESS)
    assert driven.host.contexts["x-n0-0-dn1-0"].inputs.literals["a"] == integer(7)
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_a_launch_plan_without_a_required_input_or_that_is_not_registered_does_not_compile() -> None:
    for plans, text in (({"plan": registered(required=True)}, "ParameterNotBound"), ({}, "Launch plan [p:d:plan:v]")):
        driven = await dynamic().start()
        driven.admin.launch_plans |= plans
        await driven.make("n0", job(launching("dn0", "plan")))
        (error,) = driven.errors("n0")
        assert error.code == "DynamicWorkflowBuildFailed"
        assert text in error.message


async def test_an_input_with_a_default_needs_no_value() -> None:
    driven = await dynamic().start()
    driven.admin.launch_plans["plan"] = registered(required=False)
    await driven.make("n0", job(launching("dn0", "plan")))
    assert list(driven.admin.children) == [child_execution_name("x", "n0-0-dn0", 0)]


async def test_a_gate_waits_within() -> None:
    driven = await dynamic().start()
    await driven.make("n0", job(waiting("dn0", "how-many")))
    assert driven.of("n0-0-dn0") == ["QUEUED", "RUNNING"]
    driven.new_propeller()
    await driven.attend()
    signal = driven.admin.signals["how-many"]
    signal.value.CopyFrom(integer(9))
    driven.propeller.signal_set(signal.id)
    await driven.attend()
    assert await driven.read("n0/data/0/outputs.pb") == LiteralMap(literals={"o": integer(9)})
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_the_failure_node_of_a_sub_workflow_within_runs_before_the_dynamic_node_fails() -> None:
    driven = await dynamic().start()
    inner = sub_workflow("w", node("n0"))
    inner.failure_node.CopyFrom(node("fn0"))
    await driven.make("n0", job(calling("dn0", inner), sub_workflows={"w": inner}))
    await driven.show("n0-0-dn0-0-n0", failed(retryable=False))
    assert driven.of("n0")[-1] == "DYNAMIC_RUNNING"
    driven.new_propeller()
    await driven.show("n0-0-dn0-0-fn0", SUCCESS)
    assert [driven.of(name)[-1] for name in ("n0-0-dn0-0-fn0", "n0-0-dn0", "n0")] == ["SUCCEEDED", "FAILED", "FAILED"]
    assert [error.message for error in driven.errors("n0")] == ["it broke"]
    assert driven.lines[-1] == "workflow FAILED"
