"""`flyte launchplan`: which version is active before and after, in both spellings."""

from __future__ import annotations

import json

import pytest
from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.launch_plan_pb2 import ActiveLaunchPlanListRequest, LaunchPlanCreateRequest
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, Identifier

from registering import WHERE


@pytest.fixture
def plan(up, request) -> str:
    """A launch plan with the versions 1 and 2; the second has a schedule."""
    name = request.node.name.partition("[")[0]
    name = f"{name}_{request.node.name.count('-')}{len(request.node.name)}"
    up.register(name, "true")
    first = Identifier(resource_type=LAUNCH_PLAN, name=name, version="1", **WHERE)
    spec = up.stub.GetLaunchPlan(ObjectGetRequest(id=first)).spec
    spec.entity_metadata.schedule.cron_schedule.schedule = "0 3 1 1 *"
    second = Identifier(resource_type=LAUNCH_PLAN, name=name, version="2", **WHERE)
    up.stub.CreateLaunchPlan(LaunchPlanCreateRequest(id=second, spec=spec))
    return name


def active(up, name: str) -> str:
    found = up.stub.ListActiveLaunchPlans(ActiveLaunchPlanListRequest(limit=100, **WHERE)).launch_plans
    return "".join(each.id.version for each in found if each.id.name == name)


@pytest.mark.parametrize(
    "words",
    [("activate", "NAME", "1"), ("NAME", "1", "--activate"), ("-d", "development", "NAME", "1", "--activate")],
    ids=["verb", "pyflyte", "pyflyte-options-first"],
)
def test_a_version_is_activated_in_either_spelling(up, plan, words) -> None:
    said = up.flyte("launchplan", *(plan if word == "NAME" else word for word in words))
    assert active(up, plan) == "1"
    assert said == f"{plan}: version 1 is active (before: none)\n"


def test_the_newest_is_meant_without_a_version_and_what_was_active_is_told(up, plan) -> None:
    up.flyte("launchplan", "activate", plan, "1")
    said = up.flyte("launchplan", "activate", plan)
    assert active(up, plan) == "2"
    assert said.startswith(f"{plan}: version 2 is active (before: version 1); it runs by its schedule: cron 0 3 1 1 *")


@pytest.mark.parametrize("words", [("deactivate", "NAME"), ("NAME", "--deactivate")], ids=["verb", "pyflyte"])
def test_the_active_version_is_deactivated_without_a_version(up, plan, words) -> None:
    up.flyte("launchplan", "activate", plan, "1")
    said = up.flyte("launchplan", *(plan if word == "NAME" else word for word in words))
    assert active(up, plan) == ""
    assert said == f"{plan}: no version is active (before: version 1)\n"


def test_deactivating_again_is_no_failure(up, plan) -> None:
    assert up.flyte("launchplan", "deactivate", plan) == f"{plan}: no version is active (before: none)\n"
    assert "nothing to change" in up.flyte("update", "launchplan", plan, "--deactivate")


def test_deactivating_another_version_leaves_the_active_one(up, plan) -> None:
    up.flyte("launchplan", "activate", plan, "2")
    assert "version 2 is active (before: version 2)" in up.flyte("launchplan", "deactivate", plan, "1")
    assert active(up, plan) == "2"


def test_a_dry_run_changes_nothing(up, plan) -> None:
    said = json.loads(up.flyte("launchplan", "activate", plan, "1", "--dry-run", "-o", "json"))
    assert (said["active_before"], said["active"], said["dry_run"]) == (None, "1", True)
    assert active(up, plan) == ""


def test_what_is_not_there_is_named(up, plan) -> None:
    assert "nosuch" in up.flyte("launchplan", "deactivate", "nosuch", code=1)
    assert "nosuch" in up.flyte("launchplan", "activate", "nosuch", code=1)
    assert "version" in up.flyte("launchplan", "activate", plan, "77", code=1)


def test_neither_way_is_not_understood(up, plan) -> None:
    assert "--activate" in up.flyte("launchplan", plan, code=2)


def test_the_help_lists_the_verbs() -> None:
    from click.testing import CliRunner

    from flyte_cli.main import cli

    text = CliRunner().invoke(cli, ["launchplan", "--help"]).output
    assert "activate" in text
    assert "deactivate" in text
    assert " set " not in text
