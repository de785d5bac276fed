"""`flyte update`: shows what changes, and asks before it does."""

from __future__ import annotations

import json

import pytest
from flyteidl.admin.common_pb2 import NamedEntityGetRequest, NamedEntityIdentifier, NamedEntityState, ObjectGetRequest
from flyteidl.admin.execution_pb2 import ExecutionState, WorkflowExecutionGetRequest
from flyteidl.admin.launch_plan_pb2 import LaunchPlanState
from flyteidl.admin.project_pb2 import Project, ProjectGetRequest, ProjectRegisterRequest
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, TASK, WORKFLOW, Identifier, WorkflowExecutionIdentifier

from registering import WHERE


@pytest.fixture(scope="module")
def known(up) -> str:
    """A task, workflow, launch plan and execution to change."""
    up.register("known", "true")
    up.launch("known", "known1")
    assert up.wait("known1") == "SUCCEEDED"
    return "known"


def metadata(up, kind: int, name: str):
    identifier = NamedEntityIdentifier(name=name, **WHERE)
    return up.stub.GetNamedEntity(NamedEntityGetRequest(resource_type=kind, id=identifier)).metadata


@pytest.mark.parametrize(
    ("noun", "kind", "name"),
    [
        ("task-meta", TASK, "known.task0"),
        ("workflow-meta", WORKFLOW, "known"),
        ("launchplan-meta", LAUNCH_PLAN, "known"),
    ],
)
def test_a_description_changes(up, known, noun, kind, name) -> None:
    said = up.flyte("update", noun, name, "--description", "ours", "--force")
    assert "+ description: ours" in said
    assert metadata(up, kind, name).description == "ours"
    assert "nothing to change" in up.flyte("update", noun, name, "--description", "ours")


def test_a_workflow_is_archived_and_shown_again(up, known) -> None:
    up.flyte("update", "workflow-meta", known, "--archive", "--yes")
    assert metadata(up, WORKFLOW, known).state == NamedEntityState.NAMED_ENTITY_ARCHIVED
    up.flyte("update", "workflow-meta", known, "--activate", "--yes")
    assert metadata(up, WORKFLOW, known).state == NamedEntityState.NAMED_ENTITY_ACTIVE


def test_an_execution_is_archived(up, known) -> None:
    said = json.loads(up.flyte("update", "execution", "known1", "--archive", "--yes", "-o", "json"))
    assert (said["after"], said["changed"]) == ({"state": "EXECUTION_ARCHIVED"}, True)
    wanted = WorkflowExecutionIdentifier(name="known1", **WHERE)
    row = up.stub.GetExecution(WorkflowExecutionGetRequest(id=wanted))
    assert row.closure.state_change_details.state == ExecutionState.EXECUTION_ARCHIVED


def test_a_launch_plan_is_activated_and_deactivated(up, known) -> None:
    def state() -> int:
        identifier = Identifier(resource_type=LAUNCH_PLAN, name=known, version="1", **WHERE)
        return up.stub.GetLaunchPlan(ObjectGetRequest(id=identifier)).closure.state

    said = up.flyte("update", "launchplan", known, "--version", "1", "--activate", "--force")
    assert "+ active version: '1'" in said
    assert state() == LaunchPlanState.ACTIVE
    up.flyte("update", "launchplan", known, "--deactivate", "--force")
    assert state() == LaunchPlanState.INACTIVE


def project(up, name: str) -> Project:
    return up.stub.GetProject(ProjectGetRequest(id=name))


def test_what_is_not_given_stays_in_a_project(up) -> None:
    made = Project(id="kept", name="Kept", description="old", labels={"values": {"app": "x"}})
    up.stub.RegisterProject(ProjectRegisterRequest(project=made))
    up.flyte("update", "project", "kept", "--description", "new", "--yes")
    up.flyte("update", "project", "-p", "kept", "--archive", "--yes")
    found = project(up, "kept")
    assert (found.name, found.description, found.state) == ("Kept", "new", Project.ARCHIVED)
    assert dict(found.labels.values) == {"app": "x"}
    up.flyte("update", "project", "--id", "kept", "--activate", "--labels", "app=y", "--yes")
    assert dict(project(up, "kept").labels.values) == {"app": "y"}


def test_the_difference_is_shown_and_asked_about(up, known) -> None:
    arguments = ("update", "task-meta", "known.task0", "--description", "asked")
    refused = up.flyte(*arguments, code=2)
    assert "say --yes" in refused
    assert refused.count("\n") == 1
    assert "not changed" in up.flyte(*arguments, "--dryRun")
    no = up.answer("n\n", *arguments)
    assert no.returncode == 1
    assert "+ description: asked" in no.stdout
    assert metadata(up, TASK, "known.task0").description != "asked"
    assert up.answer("y\n", *arguments).returncode == 0
    assert metadata(up, TASK, "known.task0").description == "asked"


@pytest.mark.parametrize(
    ("arguments", "wanted", "code"),
    [
        (("project", "nosuch", "--archive", "--yes"), "nosuch", 1),
        (("project", "--archive"), "id of the project", 2),
        (("workflow-meta", "nosuch", "--archive", "--yes"), "nosuch", 1),
        (("workflow-meta", "known"), "--description", 2),
        (("execution", "nosuch", "--archive", "--yes"), "nosuch", 1),
        (("execution", "known1"), "--archive", 2),
        (("launchplan", "known"), "--activate", 2),
        (("launchplan", "nosuch", "--activate", "--yes"), "nosuch", 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_changed_is_named(up, known, arguments, wanted, code) -> None:
    assert wanted in up.flyte("update", *arguments, code=code)
