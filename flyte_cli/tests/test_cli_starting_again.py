"""`flyte relaunch`, `recover`, `wait` and `execution`, against a running server."""

from __future__ import annotations

import json

import pytest
from flyteidl.admin.execution_pb2 import Execution, ExecutionMetadata, WorkflowExecutionGetRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier


@pytest.fixture(scope="module")
def quick(up) -> str:
    """An execution that has succeeded."""
    up.register("brief", "true")
    up.launch("brief", "brief1")
    assert up.wait("brief1") == "SUCCEEDED"
    return "brief1"


def execution(up, name: str) -> Execution:
    wanted = WorkflowExecutionIdentifier(project="flytesnacks", domain="development", name=name)
    return up.stub.GetExecution(WorkflowExecutionGetRequest(id=wanted))


@pytest.mark.parametrize(("command", "mode"), [("relaunch", "RELAUNCH"), ("recover", "RECOVERED")])
def test_a_new_execution_refers_to_the_old_one(up, quick, command, mode) -> None:
    name = up.flyte(command, quick).strip()
    assert name != quick
    metadata = execution(up, name).spec.metadata
    assert metadata.mode == ExecutionMetadata.ExecutionMode.Value(mode)
    assert metadata.reference_execution.name == quick


@pytest.mark.parametrize("command", ["relaunch", "recover"])
def test_pyflytes_spelling_does_the_same(up, quick, command) -> None:
    name = up.flyte("execution", "--execution-id", quick, command).strip()
    assert execution(up, name).spec.metadata.reference_execution.name == quick


def test_a_name_that_was_used_before_starts_nothing_new(up, quick) -> None:
    first = json.loads(up.flyte("relaunch", quick, "--name", "once1", "-o", "json"))
    again = json.loads(up.flyte("relaunch", quick, "--name", "once1", "-o", "json"))
    assert first["id"] == again["id"]
    assert first["closure"]["created_at"] == again["closure"]["created_at"]


def test_an_execution_is_found_by_its_urn_wherever_the_command_stands(up, quick) -> None:
    urn = f"ex:flytesnacks:development:{quick}"
    name = up.flyte("relaunch", urn, "-p", "elsewhere", "-d", "production").strip()
    assert execution(up, name).id.project == "flytesnacks"


def test_the_cache_is_overwritten_on_demand(up, quick) -> None:
    name = up.flyte("relaunch", quick, "--overwrite-cache").strip()
    assert execution(up, name).spec.overwrite_cache


def test_waiting_for_a_new_run_ends_with_its_phase(up, quick, broken) -> None:
    first, *_, last = up.flyte("relaunch", quick, "--wait", "--name", "waited1").splitlines()
    assert first == "waited1"
    assert "SUCCEEDED" in last
    row = json.loads(up.flyte("relaunch", quick, "--follow", "--name", "waited3", "-o", "json"))
    assert row["closure"]["phase"] == "SUCCEEDED"
    [line] = up.flyte("recover", broken, "--wait", "--name", "waited2", code=1).splitlines()
    assert "waited2 FAILED: ValueError: the <b>boiler</b> is cold" in line
    assert "flyte logs waited2" in line


def test_waiting_for_many_names_each_that_did_not_succeed(up, quick, broken) -> None:
    assert up.flyte("wait", quick).startswith(f"{quick}  SUCCEEDED")
    [line] = up.flyte("wait", quick, broken, code=1).splitlines()
    assert line.startswith(f"flyte: {broken} FAILED")
    assert quick not in line


def test_waiting_prints_one_document_of_json(up, quick) -> None:
    rows = json.loads(up.flyte("wait", quick, quick, "-o", "json"))
    assert [row["closure"]["phase"] for row in rows] == ["SUCCEEDED"]


def test_waiting_gives_up_after_its_timeout(up) -> None:
    up.register("snores", "sleep 60")
    up.launch("snores", "snore1")
    line = up.flyte("wait", "snore1", "--timeout", "0.5s", code=1)
    assert "snore1" in line
    assert "0:00:00.5" in line
    up.flyte("terminate", "snore1")


@pytest.mark.parametrize("command", ["relaunch", "recover", "wait"])
def test_an_execution_that_is_not_there_is_named(up, command) -> None:
    line = up.flyte(command, "nosuch", code=1)
    assert "nosuch" in line
    assert line.count("\n") == 1


def test_the_id_of_something_else_is_not_understood(up) -> None:
    assert "ex:PROJECT:DOMAIN:NAME" in up.flyte("relaunch", "lp:p:d:n:v", code=2)


def test_a_server_that_is_away_is_named(up) -> None:
    line = up.flyte("relaunch", "any", code=1, FLYTE_PLATFORM_URL="127.0.0.1:1")
    assert "no server answers at 127.0.0.1:1 (from FLYTE_PLATFORM_URL)" in line
