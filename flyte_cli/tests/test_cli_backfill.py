"""`flyte backfill`: one workflow with a step for each time of a schedule."""

from __future__ import annotations

import json

import pytest
from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest, LaunchPlanSpec
from flyteidl.core.identifier_pb2 import LAUNCH_PLAN, WORKFLOW, Identifier, WorkflowExecutionIdentifier
from flyteidl.core.interface_pb2 import TypedInterface, Variable, VariableMap
from flyteidl.core.types_pb2 import LiteralType, SimpleType
from flyteidl.core.workflow_pb2 import WorkflowMetadata

from flyte_cli.showing.literal_values import plain
from registering import WHERE, node, task_request, workflow_request

WEEK = ("--from-date", "2024-01-01", "--to-date", "2024-01-04")


@pytest.fixture(scope="module")
def nightly(up) -> str:
    """A launch plan that runs at three in the morning and gets that time as its input."""
    interface = TypedInterface(
        inputs=VariableMap(variables={"at": Variable(type=LiteralType(simple=SimpleType.DATETIME))})
    )
    task = task_request("nightly.task")
    task.spec.template.interface.CopyFrom(TypedInterface())
    task.spec.template.container.command[:] = ["true"]
    up.stub.CreateTask(task)
    step = node("n0", "nightly.task")
    step.ClearField("inputs")
    workflow = workflow_request("nightly", [step])
    workflow.spec.template.interface.CopyFrom(interface)
    workflow.spec.template.ClearField("outputs")
    up.stub.CreateWorkflow(workflow)
    spec = LaunchPlanSpec(workflow_id=workflow.id)
    spec.entity_metadata.schedule.cron_schedule.schedule = "0 3 * * *"
    spec.entity_metadata.schedule.kickoff_time_input_arg = "at"
    identifier = Identifier(resource_type=LAUNCH_PLAN, name="nightly", version="1", **WHERE)
    up.stub.CreateLaunchPlan(LaunchPlanCreateRequest(id=identifier, spec=spec))
    return "nightly"


def template(up, version: str):
    identifier = Identifier(resource_type=WORKFLOW, name="backfill-nightly", version=version, **WHERE)
    return up.stub.GetWorkflow(ObjectGetRequest(id=identifier)).closure.compiled_workflow.primary.template


def kickoff_times(found) -> list[str]:
    nodes = [each for each in found.nodes if each.WhichOneof("target") == "workflow_node"]
    return [plain_binding(binding) for each in nodes for binding in each.inputs if binding.var == "at"]


def plain_binding(binding) -> str:
    from flyteidl.core.literals_pb2 import Literal

    return plain(Literal(scalar=binding.binding.scalar))


def test_a_dry_run_shows_the_times_and_registers_nothing(up, nightly) -> None:
    told = json.loads(up.flyte("backfill", nightly, *WEEK, "--dry-run", "-o", "json"))
    assert [row["time"][:13] for row in told["steps"]] == ["2024-01-01T03", "2024-01-02T03", "2024-01-03T03"]
    assert told["launch_plan"] == {"name": nightly, "version": "1"}


def test_steps_are_a_chain_with_their_times(up, nightly) -> None:
    said = up.flyte("backfill", nightly, *WEEK, "-v", "chain", "--do-not-execute")
    assert said == "backfill-nightly: version chain is registered, with 3 step(s)\n"
    found = template(up, "chain")
    assert [time[:13] for time in kickoff_times(found)] == ["2024-01-01T03", "2024-01-02T03", "2024-01-03T03"]
    upstream = {
        each.id: list(each.upstream_node_ids) for each in found.nodes if each.id not in ("start-node", "end-node")
    }
    assert sum(len(each) for each in upstream.values()) == 2
    assert found.metadata.on_failure == WorkflowMetadata.FAIL_IMMEDIATELY


def test_steps_side_by_side_that_do_not_end_each_other(up, nightly) -> None:
    up.flyte("backfill", nightly, *WEEK, "-v", "wide", "--do-not-execute", "--parallel", "--no-fail-fast")
    found = template(up, "wide")
    assert not any(each.upstream_node_ids for each in found.nodes if each.id not in ("start-node", "end-node"))
    assert found.metadata.on_failure == WorkflowMetadata.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE


def test_without_a_version_each_kind_of_backfill_has_its_own(up, nightly) -> None:
    kinds = [(), ("--parallel",), ("--no-fail-fast",), ("--parallel", "--no-fail-fast"), ()]
    told = [up.flyte("backfill", nightly, *WEEK, *kind, "--do-not-execute", "-o", "json") for kind in kinds]
    versions = [json.loads(each)["id"]["version"] for each in told]
    assert len(set(versions)) == 4
    assert versions[0] == versions[-1]


def test_the_same_name_starts_nothing_new(up, nightly) -> None:
    arguments = ("backfill", nightly, *WEEK, "--execution-name", "fill1", "--overwrite-cache")
    assert up.flyte(*arguments) == "fill1\n"
    wanted = WorkflowExecutionIdentifier(name="fill1", **WHERE)
    first = up.stub.GetExecution(WorkflowExecutionGetRequest(id=wanted))
    assert first.spec.overwrite_cache
    assert first.spec.launch_plan.name == "backfill-nightly"
    assert up.flyte(*arguments) == "fill1\n"
    again = up.stub.GetExecution(WorkflowExecutionGetRequest(id=wanted))
    assert again.closure.created_at == first.closure.created_at


@pytest.mark.parametrize(
    "given",
    [
        ("--from-date", "2024-01-01", "--backfill-window", "3d"),
        ("--to-date", "2024-01-04", "--backfill-window", "3 days"),
        ("--from-date", "2024-01-04 - 3d", "--to-date", "2024-01-04"),
    ],
)
def test_two_of_three_make_the_window(up, nightly, given) -> None:
    told = json.loads(up.flyte("backfill", nightly, *given, "--dry-run", "-o", "json"))
    assert [row["time"][:10] for row in told["steps"]] == ["2024-01-01", "2024-01-02", "2024-01-03"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((), "two of"),
        (("--from-date", "2024-01-01"), "two of"),
        ((*WEEK, "--backfill-window", "3d"), "two of"),
        (("--from-date", "2024-01-05", "--to-date", "2024-01-04"), "not after"),
        (("--from-date", "someday", "--to-date", "2024-01-04"), "someday"),
        (("--to-date", "now", "--backfill-window", "99999999d"), "--backfill-window"),
    ],
)
def test_a_window_that_is_none_is_not_understood(up, given, wanted) -> None:
    assert wanted in up.flyte("backfill", "nightly", *given, code=2)


def test_a_plan_that_cannot_be_backfilled_is_named(up, nightly) -> None:
    up.register("unscheduled", "true")
    assert "schedule" in up.flyte("backfill", "unscheduled", *WEEK, code=1)
    assert "nosuch" in up.flyte("backfill", "nosuch", *WEEK, code=1)
    empty = ("--from-date", "2024-01-01T04:00", "--to-date", "2024-01-01T05:00", "--dry-run")
    assert "no time between" in up.flyte("backfill", nightly, *empty, code=1)
