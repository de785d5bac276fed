"""Launching executions: names, inputs, configuration, relaunch, children."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from flyteidl.admin.common_pb2 import ResourceListRequest
from flyteidl.admin.execution_pb2 import (
    ExecutionMetadata,
    ExecutionRecoverRequest,
    ExecutionRelaunchRequest,
    ExecutionUpdateRequest,
    WorkflowExecutionGetDataRequest,
    WorkflowExecutionGetRequest,
)
from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.core.execution_pb2 import WorkflowExecution
from sqlalchemy import func, select, update

from flyte_admin.db.schema import executions, launch_plans, projects, workflow_outbox
from flyte_core.cluster import FLYTE_WORKFLOW
from flyte_core.errors import AlreadyExists, InvalidInput, NotFound


async def get(plane: Any, execution: Any) -> Any:
    return await plane.reader.get(WorkflowExecutionGetRequest(id=execution))


async def change_plan(plane: Any, name: str, change: Any) -> None:
    def write(connection: Any) -> None:
        column = launch_plans.c.name == f"golden_wf.{name}"
        spec = LaunchPlanSpec.FromString(connection.execute(select(launch_plans.c.spec).where(column)).scalar_one())
        change(spec)
        connection.execute(update(launch_plans).where(column).values(spec=spec.SerializeToString()))

    await plane.database.write(write)


async def test_an_execution_without_a_name_gets_one(control_plane: Any, make_request: Any) -> None:
    created = await control_plane.executions.create(make_request())
    assert len(created.id.name) == 20
    assert created.id.name.startswith("a")
    assert (await get(control_plane, created.id)).closure.phase == WorkflowExecution.UNDEFINED
    assert control_plane.wakes


async def test_defaults_are_filled_in_and_kept_apart_from_what_the_user_gave(
    control_plane: Any, make_request: Any
) -> None:
    created = await control_plane.executions.create(make_request("defaults"))
    data = await control_plane.reader.get_data(WorkflowExecutionGetDataRequest(id=created.id))
    assert data.full_inputs.literals["x"].scalar.primitive.integer == 3
    again = await control_plane.executions.relaunch(ExecutionRelaunchRequest(id=created.id, name="again"))
    relaunched = await get(control_plane, again.id)
    assert relaunched.spec.metadata.mode == ExecutionMetadata.RELAUNCH
    assert relaunched.spec.metadata.reference_execution == created.id


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda r: setattr(r.inputs.literals["y"].scalar.primitive, "integer", 1), "invalid input y"),
        (
            lambda r: r.inputs.literals["x"].scalar.primitive.__setattr__("string_value", "1"),
            "invalid x input wrong type",
        ),
        (lambda r: setattr(r.spec.launch_plan, "name", "golden_wf.sub"), "expected_inputs x missing"),
        (lambda r: setattr(r.spec.launch_plan, "resource_type", 0), "resource_type"),
        (lambda r: setattr(r, "name", "Capital"), "Capital"),
        (lambda r: setattr(r, "name", "a" * 64), "64"),
        (lambda r: setattr(r, "domain", "nowhere"), "nowhere"),
        (lambda r: setattr(r, "project", "nobody"), "nobody"),
        (lambda r: r.ClearField("spec"), "spec"),
        (lambda r: r.spec.labels.values.__setitem__("no spaces", "x"), "no spaces"),
        (lambda r: r.spec.tags.append("t" * 300), "spec.tags"),
        (lambda r: setattr(r.spec.launch_plan, "version", "v\u0430"), "ASCII"),
        (lambda r: [r.spec.envs.values.add(key="A") for _ in range(2)], "twice"),
    ],
    ids=[
        "unknown",
        "type",
        "missing",
        "resource-type",
        "name",
        "long-name",
        "domain",
        "project",
        "no-spec",
        "label",
        "tag",
        "look-alike",
        "env",
    ],
)
async def test_a_bad_request_names_the_fault_and_leaves_nothing(
    control_plane: Any, make_request: Any, spoil: Any, message: str
) -> None:
    request = make_request("bad")
    spoil(request)
    with pytest.raises(InvalidInput, match=message):
        await control_plane.executions.create(request)
    count = select(func.count()).select_from(executions)
    assert await control_plane.database.read(lambda c: c.execute(count).scalar()) == 0


async def test_a_launch_plan_that_is_not_registered_is_not_found(control_plane: Any, make_request: Any) -> None:
    with pytest.raises(NotFound, match=r"golden_wf\.none"):
        await control_plane.executions.create(make_request(plan="none"))


async def test_fixed_inputs_cannot_be_given(control_plane: Any, make_request: Any) -> None:
    await change_plan(
        control_plane, "single", lambda s: s.fixed_inputs.literals["x"].scalar.primitive.__setattr__("integer", 8)
    )
    with pytest.raises(InvalidInput, match="fixed_inputs x cannot be overridden"):
        await control_plane.executions.create(make_request(x=1))
    created = await control_plane.executions.create(make_request())
    data = await control_plane.reader.get_data(WorkflowExecutionGetDataRequest(id=created.id))
    assert data.full_inputs.literals["x"].scalar.primitive.integer == 8


async def test_the_request_wins_over_the_launch_plan_and_both_over_the_platform(
    control_plane: Any, make_request: Any
) -> None:
    def change(spec: LaunchPlanSpec) -> None:
        spec.max_parallelism = 7
        spec.labels.values["from"] = "plan"
        spec.security_context.run_as.k8s_service_account = "plan-account"

    await change_plan(control_plane, "single", change)
    request = make_request("wins")
    request.spec.max_parallelism = 3
    await control_plane.executions.create(request)
    await control_plane.executions.create(make_request("inherits"))
    (first, second) = await control_plane.database.read(
        lambda c: c.execute(select(workflow_outbox.c.payload).order_by(workflow_outbox.c.id)).scalars().all()
    )
    from flyteidl.admin.execution_pb2 import ExecutionCreateRequest

    wins, inherits = ExecutionCreateRequest.FromString(first).spec, ExecutionCreateRequest.FromString(second).spec
    assert (wins.max_parallelism, inherits.max_parallelism) == (3, 7)
    assert dict(inherits.labels.values) == {"from": "plan"}
    assert inherits.security_context.run_as.k8s_service_account == "plan-account"


async def test_fifty_clients_with_one_name_make_one_execution_and_one_workflow(
    control_plane: Any, make_request: Any
) -> None:
    runner = asyncio.create_task(control_plane.dispatcher.run())
    answers = await asyncio.gather(
        *(control_plane.executions.create(make_request("same", x=number)) for number in range(50)),
        return_exceptions=True,
    )
    control_plane.dispatcher.wake()
    refused = [answer for answer in answers if isinstance(answer, AlreadyExists)]
    assert len(refused) == 49
    winner = next(n for n, answer in enumerate(answers) if not isinstance(answer, AlreadyExists))
    for _ in range(100):
        found = (await control_plane.cluster.list(FLYTE_WORKFLOW)).items
        if found:
            break
        await asyncio.sleep(0.02)
    runner.cancel()
    assert [item["metadata"]["name"] for item in found] == ["same"]
    execution = (await control_plane.reader.list(listing())).executions[0]
    data = await control_plane.reader.get_data(WorkflowExecutionGetDataRequest(id=execution.id))
    assert data.full_inputs.literals["x"].scalar.primitive.integer == winner


def listing(filters: str = "") -> ResourceListRequest:
    return ResourceListRequest(id={"project": "golden", "domain": "development"}, limit=100, filters=filters)


async def test_executions_are_found_by_tags_labels_and_phase(control_plane: Any, make_request: Any) -> None:
    eager = make_request("eager")
    eager.spec.tags.append("eager-exec")
    eager.spec.labels.values["parent"] = "root"
    await control_plane.executions.create(eager)
    await control_plane.executions.create(make_request("other"))
    for filters in (
        "value_in(execution_tag.key,eager-exec)",
        "value_in(execution_tag.value,root)+value_in(phase,UNDEFINED;QUEUED;RUNNING)",
        "eq(admin_tag.name,eager-exec)",
    ):
        found = await control_plane.reader.list(listing(filters))
        assert [execution.id.name for execution in found.executions] == ["eager"]
    assert not (await control_plane.reader.list(listing("value_in(phase,SUCCEEDED;FAILED)"))).executions


async def test_an_archived_execution_is_listed_only_on_request(control_plane: Any, make_request: Any) -> None:
    created = await control_plane.executions.create(make_request("old"))
    await control_plane.executions.update(ExecutionUpdateRequest(id=created.id, state=1), principal="ada")
    assert not (await control_plane.reader.list(listing())).executions
    (found,) = (await control_plane.reader.list(listing("eq(state,1)"))).executions
    assert found.closure.state_change_details.principal == "ada"


async def test_a_recovery_refers_to_its_source(control_plane: Any, make_request: Any) -> None:
    created = await control_plane.executions.create(make_request("source", x=5))
    recovered = await control_plane.executions.recover(ExecutionRecoverRequest(id=created.id))
    execution = await get(control_plane, recovered.id)
    assert execution.spec.metadata.mode == ExecutionMetadata.RECOVERED
    assert execution.spec.metadata.reference_execution.name == "source"
    data = await control_plane.reader.get_data(WorkflowExecutionGetDataRequest(id=recovered.id))
    assert data.full_inputs.literals["x"].scalar.primitive.integer == 5


async def test_a_child_of_a_node_that_is_not_stored_is_refused(control_plane: Any, make_request: Any) -> None:
    created = await control_plane.executions.create(make_request("parent"))
    child = make_request("child")
    child.spec.metadata.parent_node_execution.node_id = "n0"
    child.spec.metadata.parent_node_execution.execution_id.CopyFrom(created.id)
    with pytest.raises(NotFound, match="n0"):
        await control_plane.executions.create(child)


async def test_a_launch_plan_at_its_concurrency_limit_skips_the_next(control_plane: Any, make_request: Any) -> None:
    await change_plan(control_plane, "single", lambda spec: setattr(spec.concurrency_policy, "max", 2))
    answers = await asyncio.gather(
        *(control_plane.executions.create(make_request(f"run{n}")) for n in range(10)), return_exceptions=True
    )
    skipped = [answer for answer in answers if isinstance(answer, AlreadyExists)]
    assert len(skipped) == 8
    assert "concurrency limit (2) reached" in str(skipped[0])


async def test_an_archived_project_takes_no_executions(control_plane: Any, make_request: Any) -> None:
    await control_plane.database.write(lambda c: c.execute(update(projects).values(state=1)) and None)
    with pytest.raises(InvalidInput, match="not active"):
        await control_plane.executions.create(make_request())
