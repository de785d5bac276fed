"""`flyte create` and `flyte delete`: flytectl's words."""

from __future__ import annotations

import json

import pytest
import yaml
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetDataRequest, WorkflowExecutionGetRequest
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest, LaunchPlanSpec
from flyteidl.admin.project_pb2 import ProjectListRequest
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, Identifier, WorkflowExecutionIdentifier
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.types_pb2 import BlobType, EnumType, LiteralType, SimpleType

from flyte_cli.showing.literal_values import plain_map
from registering import WHERE, node, task_request, workflow_request

STRING = LiteralType(simple=SimpleType.STRING)
INPUTS = {
    "count": LiteralType(simple=SimpleType.INTEGER),
    "name": STRING,
    "share": LiteralType(simple=SimpleType.FLOAT),
    "at": LiteralType(simple=SimpleType.DATETIME),
    "pause": LiteralType(simple=SimpleType.DURATION),
    "numbers": LiteralType(collection_type=LiteralType(simple=SimpleType.INTEGER)),
    "table": LiteralType(map_value_type=STRING),
    "colour": LiteralType(enum_type=EnumType(values=["red", "green"])),
    "shape": LiteralType(simple=SimpleType.STRUCT),
    "file": LiteralType(blob=BlobType()),
}
FILE = {
    "iamRoleARN": "",
    "kubeServiceAcct": "mary",
    "targetDomain": "",
    "targetProject": "",
    "version": "1",
    "workflow": "takes",
    "inputs": {
        "count": 3,
        "name": "007",
        "share": 1,
        "at": "2024-01-31T12:00:00Z",
        "pause": "1h30m0s",
        "numbers": [1, 2],
        "table": {"a": "b"},
        "colour": "green",
        "shape": {"x": 2, "z": {"deep": "foo"}},
        "file": "s3://bucket/key",
    },
    "envs": {"DEBUG": "1"},
}


@pytest.fixture(scope="module")
def takes(up) -> str:
    """A launch plan that takes inputs of many types."""
    interface = TypedInterface(inputs=VariableMap(variables={k: Variable(type=v) for k, v in INPUTS.items()}))
    task = task_request("takes.task")
    task.spec.template.interface.CopyFrom(TypedInterface())
    task.spec.template.container.command[:] = ["true"]
    up.stub.CreateTask(task)
    step = node("n0", "takes.task")
    step.ClearField("inputs")
    workflow = workflow_request("takes", [step])
    workflow.spec.template.interface.CopyFrom(interface)
    workflow.spec.template.ClearField("outputs")
    up.stub.CreateWorkflow(workflow)
    identifier = Identifier(resource_type=LAUNCH_PLAN, name="takes", version="1", **WHERE)
    up.stub.CreateLaunchPlan(LaunchPlanCreateRequest(id=identifier, spec=LaunchPlanSpec(workflow_id=workflow.id)))
    return "takes"


def written(folder, **changes) -> str:
    path = folder / "execution.yaml"
    path.write_text(yaml.safe_dump({**FILE, **changes}))
    return str(path)


def stored(up, name: str):
    wanted = WorkflowExecutionIdentifier(name=name, **WHERE)
    data = up.stub.GetExecutionData(WorkflowExecutionGetDataRequest(id=wanted))
    return up.stub.GetExecution(WorkflowExecutionGetRequest(id=wanted)), plain_map(data.full_inputs)


def test_an_execution_is_started_from_flytectls_file(up, takes, tmp_path) -> None:
    name = up.flyte("create", "execution", "--execFile", written(tmp_path), "--wait").splitlines()[0]
    row, inputs = stored(up, name)
    assert inputs == {
        "count": 3,
        "name": "007",
        "share": 1.0,
        "at": inputs["at"],
        "pause": 5400,
        "numbers": [1, 2],
        "table": {"a": "b"},
        "colour": "green",
        "shape": {"x": 2, "z": {"deep": "foo"}},
        "file": "s3://bucket/key",
    }
    assert inputs["at"].startswith("2024-01-31T12:00:00")
    assert row.spec.security_context.run_as.k8s_service_account == "mary"
    assert [(pair.key, pair.value) for pair in row.spec.envs.values] == [("DEBUG", "1")]


def test_options_win_over_the_file(up, takes, tmp_path) -> None:
    options = ("--kubeServiceAcct", "john", "--envs", "DEBUG=2", "--overwriteCache", "--clusterPool", "big")
    named = up.flyte("create", "execution", "created2", "--execFile", written(tmp_path), *options)
    assert named == "created2\n"
    row, _ = stored(up, "created2")
    assert row.spec.security_context.run_as.k8s_service_account == "john"
    assert [pair.value for pair in row.spec.envs.values] == ["2"]
    assert row.spec.overwrite_cache
    assert row.spec.cluster_assignment.cluster_pool_name == "big"


def test_a_task_is_started_too(up, takes) -> None:
    name = up.flyte("create", "execution", "--task", "takes.task").strip()
    assert stored(up, name)[0].spec.launch_plan.name.endswith("takes.task")


@pytest.mark.parametrize("way", ["relaunch", "recover"])
def test_an_execution_is_started_again(up, takes, broken, way) -> None:
    name = up.flyte("create", "execution", f"--{way}", broken).strip()
    assert stored(up, name)[0].spec.metadata.reference_execution.name == broken


def test_a_dry_run_starts_nothing(up, takes, tmp_path) -> None:
    told = up.flyte("create", "execution", "created4", "--execFile", written(tmp_path), "--dryRun", "-o", "json")
    assert json.loads(told)["inputs"] == sorted(INPUTS)
    assert "created4" in up.flyte("wait", "created4", code=1)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"inputs": {**FILE["inputs"], "count": "three"}}, "input count: 'three' is no int"),
        ({"inputs": {**FILE["inputs"], "size": 3}}, "takes has no input size; there are: at, "),
        ({"inputs": {**FILE["inputs"], "colour": "blue"}}, "red, green"),
        ({"inputs": {"count": 3}}, "name missing"),
        ({"inputs": [1]}, "inputs: "),
        ({"inptus": {}}, "did you mean 'inputs'?"),
        ({"version": 1}, "version: 1 is no text"),
        ({"task": "takes.task"}, "either a workflow"),
        ({"workflow": "nosuch"}, "nosuch"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_in_a_file_is_named(up, takes, tmp_path, changes, wanted) -> None:
    line = up.flyte("create", "execution", "--execFile", written(tmp_path, **changes), code=1)
    assert wanted in line
    assert line.count("\n") == 1


def test_nothing_to_run_is_not_understood(up) -> None:
    assert "--execFile" in up.flyte("create", "execution", code=2)
    assert "--envs" in up.flyte("create", "execution", "--task", "any", "--envs", "DEBUG", code=2)


def project(up, name: str):
    [found] = up.stub.ListProjects(ProjectListRequest(filters=f"eq(identifier,{name})")).projects
    return found


def test_a_project_is_made_from_options(up) -> None:
    up.flyte("create", "project", "--id", "made1", "--name", "Made", "--labels", "app=x,team=y", "--description", "d")
    found = project(up, "made1")
    assert (found.name, found.description, dict(found.labels.values)) == ("Made", "d", {"app": "x", "team": "y"})
    assert "made1" in up.flyte("create", "projects", "made1", code=1)


def test_a_project_is_made_from_a_file(up, tmp_path) -> None:
    path = tmp_path / "project.yaml"
    path.write_text("id: made2\nname: Two\nlabels:\n  values:\n    app: flyte\ndescription: from a file\n")
    assert up.flyte("create", "project", "--file", str(path), "--dry-run") == "made2: would be made\n"
    assert json.loads(up.flyte("create", "project", "--file", str(path), "-o", "json"))["id"] == "made2"
    assert dict(project(up, "made2").labels.values) == {"app": "flyte"}


def test_a_project_without_an_id_is_not_understood(up) -> None:
    assert "id of the project" in up.flyte("create", "project", "--name", "x", code=2)


def test_executions_are_deleted_as_they_are_terminated(up) -> None:
    up.register("dawdles", "sleep 60")
    names = [up.launch("dawdles", f"dawdle{number}") for number in range(2)]
    assert json.loads(up.flyte("delete", "executions", *names, "--dryRun", "-o", "json"))[0]["name"] == names[0]
    up.flyte("delete", "execution", *names)
    assert [up.wait(name) for name in names] == ["ABORTED", "ABORTED"]
