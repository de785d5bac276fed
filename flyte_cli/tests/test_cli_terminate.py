"""`flyte terminate` and `flyte delete execution`: many at once, and only after a question."""

from __future__ import annotations

import json

import pytest
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier


@pytest.fixture(scope="module")
def dozes(up) -> str:
    up.register("dozes", "sleep 60")
    return "dozes"


@pytest.fixture
def sleeping(up, dozes, request) -> list[str]:
    """Three executions that sleep."""
    prefix = request.node.name.removeprefix("test_")[:20].replace("_", "-")
    return [up.launch(dozes, f"{prefix}-{number}") for number in range(3)]


def test_many_end_at_once_and_one_that_cannot_does_not_keep_them(up, sleeping, broken) -> None:
    refused = up.flyte("terminate", sleeping[0], broken, "nosuch", *sleeping[1:], "--cause", "no more", code=1)
    assert refused.count("\n") == 1
    assert f"{broken}: " in refused
    assert "nosuch: " in refused
    for name in sleeping:
        assert up.wait(name) == "ABORTED"
        wanted = WorkflowExecutionIdentifier(project="flytesnacks", domain="development", name=name)
        row = up.stub.GetExecution(WorkflowExecutionGetRequest(id=wanted))
        assert row.closure.abort_metadata.cause == "no more"


def test_all_are_ended_once_the_user_agrees(up, sleeping) -> None:
    told = json.loads(up.flyte("terminate", "--all", "--dry-run", "-o", "json"))
    assert {row["name"] for row in told} == set(sleeping)
    assert "say --yes" in up.flyte("terminate", "--all", code=2)
    no = up.answer("n\n", "terminate", "--all")
    assert no.returncode == 1
    assert "nothing was changed" in no.stderr
    assert not any(WorkflowExecution.Phase.Name(up.phase(name)).startswith("ABORT") for name in sleeping)
    yes = up.answer("y\n", "terminate", "--all")
    assert yes.returncode == 0, yes.stderr
    assert "End 3 execution(s) of flytesnacks/development" in yes.stderr
    assert {line.split(":")[0] for line in yes.stdout.splitlines()} == set(sleeping)
    assert {up.wait(name) for name in sleeping} == {"ABORTED"}
    assert up.flyte("terminate", "--all", "--yes") == "nothing runs\n"


def test_all_of_one_phase(up, sleeping, eventually) -> None:
    eventually(lambda: all(up.phase(name) == WorkflowExecution.RUNNING for name in sleeping))
    assert up.flyte("terminate", "--all", "--phase", "FAILING", "--yes", "-o", "json") == "[]\n"
    told = json.loads(up.flyte("terminate", "--all", "--phase", "running", "--phase", "QUEUED", "--yes", "-o", "json"))
    assert {row["name"] for row in told} == set(sleeping)
    assert {up.wait(name) for name in sleeping} == {"ABORTED"}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((), "--all"),
        (("one", "--all"), "--all"),
        (("one", "--phase", "RUNNING"), "--all"),
        (("--phase", "DONE"), "DONE"),
    ],
)
def test_what_is_not_meant_is_refused_before_anything_happens(up, arguments, wanted) -> None:
    assert wanted in up.flyte("terminate", *arguments, code=2)
