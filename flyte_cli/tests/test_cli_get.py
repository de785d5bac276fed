"""`flyte get`: which rows, in which order and form."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from flyteidl.admin.launch_plan_pb2 import ACTIVE, LaunchPlanUpdateRequest
from flyteidl.admin.signal_pb2 import SignalGetOrCreateRequest
from flyteidl.core.identifier_pb2 import SignalIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.types_pb2 import BOOLEAN, LiteralType
from flyteidl.service.signal_pb2_grpc import SignalServiceStub

from registering import WHERE, task_request

ROWS = 130


@pytest.fixture(scope="module")
def many(up) -> str:
    """A task with more versions than one page of a list holds."""
    for version in range(ROWS):
        request = task_request("many.versions")
        request.id.version = request.spec.template.id.version = f"v{version:03}"
        request.spec.template.container.args[:] = [str(version)]
        up.stub.CreateTask(request)
    return "many.versions"


def names(printed: str) -> list[str]:
    return printed.split()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("project", "projects"),
        ("task", "tasks"),
        ("workflow", "workflows"),
        ("launchplan", "launch-plans"),
        ("lp", "launch-plans"),
        ("execution", "executions"),
        ("node broken", "nodes broken"),
        ("attempts broken", "task-executions broken"),
    ],
)
def test_every_kind_has_the_spellings_of_other_tools(up, broken, one, other) -> None:
    assert up.flyte("get", *one.split(), "-o", "name") == up.flyte("get", *other.split(), "-o", "name") != ""


def test_lists_go_on_after_the_first_page(up, many) -> None:
    assert len(names(up.flyte("get", "tasks", many, "-o", "name"))) == 100
    assert len(names(up.flyte("get", "tasks", many, "-o", "name", "--limit", "120"))) == 120
    everything = names(up.flyte("get", "tasks", many, "-o", "name", "--all"))
    assert len(set(everything)) == len(everything) == ROWS


def test_lists_are_ordered_as_asked_for(up, many) -> None:
    smallest = up.flyte("get", "tasks", many, "--sort-by", "version", "--asc", "--limit", "2", "-o", "name")
    assert [urn.rsplit(":", 1)[1] for urn in names(smallest)] == ["v000", "v001"]
    largest = up.flyte("get", "tasks", many, "--sort-by", "version", "--limit", "2", "-o", "name")
    assert [urn.rsplit(":", 1)[1] for urn in names(largest)] == ["v129", "v128"]


def test_the_latest_of_each_name(up, many, broken) -> None:
    latest = names(up.flyte("get", "tasks", "--latest", "-o", "name", "--all"))
    assert "tsk:flytesnacks:development:many.versions:v129" in latest
    assert len({urn.rsplit(":", 1)[0] for urn in latest}) == len(latest) > 1


@pytest.mark.parametrize(
    "which",
    [
        ("many.versions", "v007"),
        ("many.versions", "--version", "v007"),
        ("tsk:flytesnacks:development:many.versions:v007",),
        ("tsk:flytesnacks:development:many.versions", "--version", "v007", "-p", "nosuch"),
    ],
    ids=" ".join,
)
def test_one_version_is_named_in_many_ways(up, many, which) -> None:
    assert names(up.flyte("get", "task", *which, "-o", "name")) == ["tsk:flytesnacks:development:many.versions:v007"]


@pytest.mark.parametrize("term", ["contains(version,v12)", "version contains v12", "version>=v120"])
def test_filters_are_understood_in_both_languages(up, many, term) -> None:
    found = names(up.flyte("get", "tasks", many, "--filter", term, "--filter", "version!=v125", "-o", "name"))
    assert [urn[-4:] for urn in found] == [f"v{n}" for n in range(129, 119, -1) if n != 125]


def test_executions_by_phase_and_time(up, broken) -> None:
    up.register("quick", "true")
    up.wait(up.launch("quick", "quick1"))
    failed = names(up.flyte("get", "executions", "--phase", "failed", "--phase", "ABORTED", "-o", "name"))
    assert "ex:flytesnacks:development:broken" in failed
    assert "ex:flytesnacks:development:quick1" not in failed
    assert names(up.flyte("get", "executions", "--filter", "phase in (FAILED;ABORTED)", "-o", "name")) == failed
    flytectls = ("--filter.fieldSelector", "phase=SUCCEEDED,name=quick1", "--filter.limit", "1")
    assert names(up.flyte("get", "execution", *flytectls, "-o", "name")) == ["ex:flytesnacks:development:quick1"]
    assert "quick1" in up.flyte("get", "executions", "--since", "1h", "--filter", "name=quick1")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert names(up.flyte("get", "executions", "--since", tomorrow, "-o", "name")) == []


def test_ids_that_are_printed_are_taken(up, broken) -> None:
    for kind in ("executions", "tasks", "workflows", "launch-plans"):
        [printed] = names(up.flyte("get", kind, "-o", "name", "--limit", "1"))
        assert names(up.flyte("get", printed, "-o", "name")) == [printed]
    page = f"{up.server.http}/console/projects/flytesnacks/domains/development/executions/broken"
    assert names(up.flyte("get", page, "-o", "name")) == ["ex:flytesnacks:development:broken"]


def test_the_headings_of_tables_stay_as_they_are(up, broken) -> None:
    for kind, headings in {
        "projects": "ID NAME DOMAINS",
        "tasks": "NAME VERSION CREATED",
        "launch-plans": "NAME VERSION CREATED STATE SCHEDULE",
        "executions": "NAME LAUNCH PLAN PHASE CREATED DURATION",
        "task-executions broken": "NODE ATTEMPT PHASE CREATED DURATION ERROR",
        "signals broken": "SIGNAL TYPE STATE VALUE",
    }.items():
        table = up.flyte("get", *kind.split()).splitlines()
        wide = up.flyte("get", *kind.split(), "-o", "wide").splitlines()
        assert table[0].split() == headings.split()
        assert wide[0].split()[: len(headings.split())] == headings.split()


def test_wide_tables_and_json_show_errors_whole(up, broken) -> None:
    [row] = [line for line in up.flyte("get", "executions", "-o", "wide").splitlines() if line.startswith("broken ")]
    assert row.endswith("ValueError: the <b>boiler</b> is cold")
    rows = json.loads(up.flyte("get", "executions", "--phase", "FAILED", "--all", "-o", "json"))
    [error] = [row["closure"]["error"]["message"] for row in rows if row["id"]["name"] == "broken"]
    assert "ValueError: the <b>boiler</b> is cold" in error


def test_active_launch_plans(up, broken) -> None:
    plan = json.loads(up.flyte("get", "launchplan", "breaks", "-o", "json"))[0]["id"]
    assert "breaks" not in up.flyte("get", "launch-plans", "--active-only")
    assert "`flyte launchplan activate breaks VERSION`" in up.flyte("get", "lp", "breaks", "--active-only", code=1)
    update = LaunchPlanUpdateRequest(state=ACTIVE)
    for part in ("project", "domain", "name", "version"):
        setattr(update.id, part, plan[part])
    up.stub.UpdateLaunchPlan(update)
    for which in ((), ("breaks",)):
        found = up.flyte("get", "launch-plans", *which, "--scheduled", "-o", "name")
        assert "lp:flytesnacks:development:breaks:1" in names(found)


def test_signals_show_what_is_waited_for(up, broken, channel) -> None:
    execution = WorkflowExecutionIdentifier(name="broken", **WHERE)
    identifier = SignalIdentifier(signal_id="go-on", execution_id=execution)
    SignalServiceStub(channel).GetOrCreateSignal(
        SignalGetOrCreateRequest(id=identifier, type=LiteralType(simple=BOOLEAN))
    )
    assert up.flyte("get", "signals", "broken").splitlines()[1].split() == ["go-on", "BOOLEAN", "WAITING"]


def test_nodes_by_phase_with_what_is_below_other_nodes(up, broken, nested) -> None:
    assert names(up.flyte("get", "nodes", broken, "--phase", "failed", "-o", "name")) == ["n1"]
    assert "n0-0-n0" in names(up.flyte("get", "nodes", nested, "-o", "name"))
    assert names(up.flyte("get", "attempts", nested, "n0-0-n0", "-o", "name")) == ["n0-0-n0/0"]


def test_watching_nodes_ends_with_the_execution(up) -> None:
    up.register("two-naps", "sleep 1", "sleep 0.1")
    up.launch("two-naps", "watched1")
    rows = [line.split()[:2] for line in up.flyte("get", "nodes", "watched1", "--watch").splitlines()[1:]]
    assert ["n0", "SUCCEEDED"] in rows
    assert rows[-1] in (["n1", "SUCCEEDED"], ["end-node", "SUCCEEDED"])
    assert all(rows.count(row) == 1 for row in rows)


def test_secrets_in_environments_are_hidden(up, nested) -> None:
    [task] = json.loads(up.flyte("get", "task", "shapes.write", "-o", "json"))
    variables = task["closure"]["compiled_task"]["template"]["container"]["env"]
    assert {"key": "API_TOKEN", "value": "***"} in variables
    assert {"key": "MODE", "value": "fast"} in variables


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("tasks", "--filter", "x"), "is no filter"),
        (("tasks", "--filter", "like(name,x)"), "there is no like"),
        (("tasks", "--since", "soon"), "soon"),
        (("executions", "--phase", "DONE"), "DONE"),
        (("executions", "broken", "--phase", "FAILED"), "leave --filter, --phase and --since out"),
        (("tasks", "ex:p:d:n"), "wanted is a task"),
        (("tasks", "--limit", "0"), "--limit"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_understood_says_what_would_be(up, arguments, complaint) -> None:
    error = up.flyte("get", *arguments, code=2)
    assert error.count("\n") == 1
    assert complaint in error


def test_what_is_not_there_is_named(up) -> None:
    assert "there is no project nosuch" in up.flyte("get", "project", "nosuch", code=1)
    assert "nosuch" in up.flyte("get", "execution", "nosuch", code=1)
    for kind in ("nodes", "task-executions", "signals"):
        assert "`flyte get executions -p flytesnacks" in up.flyte("get", kind, "nosuch", code=1)
