"""What flytekit registers compiles to the closure that upstream's control plane makes of it."""

from pathlib import Path

import pytest
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.compiler_pb2 import CompiledWorkflowClosure
from google.protobuf.json_format import MessageToDict, Parse

from flyte_core.compiler import LaunchPlanInterface, compile_task, compile_workflow

DATA = Path(__file__).parent / "data" / "golden_wf"
WORKFLOWS = sorted(path.stem for path in (DATA / "compiled").glob("*.json"))


def registered(kind, message_type):
    paths = sorted((DATA / "registered").glob(f"{kind}-*.json"))
    return [Parse(path.read_text(), message_type()) for path in paths]


@pytest.fixture(scope="module")
def tasks():
    return [compile_task(spec) for spec in registered("task", TaskSpec)]


@pytest.fixture(scope="module")
def launch_plans():
    found = []
    for plan in registered("launch_plan", LaunchPlan):
        workflow = next(
            spec for spec in registered("workflow", WorkflowSpec) if spec.template.id == plan.spec.workflow_id
        )
        found.append(LaunchPlanInterface(plan.id, workflow.template.interface))
    return found


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_closure_is_upstreams(name, tasks, launch_plans):
    spec = Parse((DATA / "registered" / f"workflow-golden_wf.{name}.json").read_text(), WorkflowSpec())
    expected = Parse((DATA / "compiled" / f"{name}.json").read_text(), CompiledWorkflowClosure())
    assert MessageToDict(compile_workflow(spec, tasks, launch_plans)) == MessageToDict(expected)


def test_compiling_a_compiled_template_again_changes_nothing(tasks, launch_plans):
    spec = Parse((DATA / "registered" / "workflow-golden_wf.chain.json").read_text(), WorkflowSpec())
    once = compile_workflow(spec, tasks, launch_plans)
    assert compile_workflow(WorkflowSpec(template=once.primary.template), tasks, launch_plans) == once
