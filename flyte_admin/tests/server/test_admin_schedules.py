"""Schedules of a running control plane: they start with the activation, end with the deactivation, and are shown."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from flyteidl.admin.common_pb2 import ResourceListRequest
from flyteidl.admin.execution_pb2 import Execution, ExecutionMetadata
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest, LaunchPlanState, LaunchPlanUpdateRequest
from flyteidl.core.types_pb2 import SimpleType

LISTING = ResourceListRequest(id={"project": "flytesnacks", "domain": "development"}, limit=100)


async def register(admin: Any, make: Any) -> LaunchPlanCreateRequest:
    """A launch plan that starts every second, of a workflow that wants the time."""
    await admin.stub.CreateTask(make.task())
    workflow = make.workflow()
    workflow.spec.template.interface.inputs.variables["at"].type.simple = SimpleType.DATETIME
    await admin.stub.CreateWorkflow(workflow)
    plan = make.launch_plan()
    plan.spec.fixed_inputs.literals["x"].scalar.primitive.integer = 1
    plan.spec.entity_metadata.schedule.cron_schedule.schedule = "@every 1s"
    plan.spec.entity_metadata.schedule.kickoff_time_input_arg = "at"
    plan.spec.concurrency_policy.max = 2
    await admin.stub.CreateLaunchPlan(plan)
    return plan


async def started(admin: Any) -> list[Execution]:
    return list((await admin.stub.ListExecutions(LISTING)).executions)


async def test_an_activated_schedule_starts_executions_up_to_the_limit_until_it_is_deactivated(
    sqlite_admin: Any, make: Any
) -> None:
    plan = await register(sqlite_admin, make)
    await asyncio.sleep(0.2)  # the scheduler sleeps now, and only the activation wakes it
    activated = datetime.now(UTC)
    await sqlite_admin.stub.UpdateLaunchPlan(LaunchPlanUpdateRequest(id=plan.id, state=LaunchPlanState.ACTIVE))
    async with asyncio.timeout(15):
        while len(found := await started(sqlite_admin)) < 2:
            await asyncio.sleep(0.05)
    for execution in found:
        metadata = execution.spec.metadata
        scheduled = metadata.scheduled_at.ToDatetime(tzinfo=UTC)
        assert metadata.mode == ExecutionMetadata.SCHEDULED
        assert activated < scheduled <= execution.closure.created_at.ToDatetime(tzinfo=UTC)
        assert execution.spec.launch_plan == plan.id
    by_hand = ResourceListRequest(id=LISTING.id, limit=100, filters="eq(mode,0)")
    scheduled_only = ResourceListRequest(id=LISTING.id, limit=100, filters="eq(mode,1)")
    assert not (await sqlite_admin.stub.ListExecutions(by_hand)).executions
    assert (await sqlite_admin.stub.ListExecutions(scheduled_only)).executions
    await asyncio.sleep(1.5)
    assert len(await started(sqlite_admin)) == 2, "a third one is skipped while two have not ended"
    await sqlite_admin.stub.UpdateLaunchPlan(LaunchPlanUpdateRequest(id=plan.id, state=LaunchPlanState.INACTIVE))
