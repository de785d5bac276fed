"""Schedules with a clock that the test moves, and a place that accepts executions as the control plane does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest, ExecutionCreateResponse
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest, LaunchPlanState, LaunchPlanUpdateRequest
from flyteidl.admin.schedule_pb2 import Schedule
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.types_pb2 import SimpleType
from sqlalchemy import Connection, insert

from flyte_admin.db import Database
from flyte_admin.db.migrate import migrate
from flyte_admin.db.schema import workflows
from flyte_admin.executions.alarm import Alarm
from flyte_admin.launch_plans.service import LaunchPlanService
from flyte_admin.projects.service import ProjectService
from flyte_admin.registry.admission import Domains
from flyte_admin.scheduler.scheduler import Scheduler, SchedulerSettings
from flyte_core.errors import AlreadyExists
from flyte_core.testing.fakes import ManualClock

START = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)


def identifier(name: str, version: str = "v1", kind: int = ResourceType.LAUNCH_PLAN) -> Identifier:
    return Identifier(resource_type=kind, project="flytesnacks", domain="development", name=name, version=version)


@dataclass
class Acceptance:
    """Accepts each name once.

    :ivar refuse: raises what the control plane would, for a request and how often it came
    :ivar lose_next: the answers to so many requests are lost after they were accepted
    """

    clock: ManualClock
    accepted: dict[str, ExecutionCreateRequest] = field(default_factory=dict)
    order: list[tuple[str, datetime]] = field(default_factory=list)
    calls: int = 0
    refuse: Callable[[ExecutionCreateRequest], None] = lambda _request: None
    lose_next: int = 0

    async def create(self, request: ExecutionCreateRequest) -> ExecutionCreateResponse:
        self.calls += 1
        self.refuse(request)
        scheduled = request.spec.metadata.scheduled_at.ToDatetime(tzinfo=UTC)
        assert scheduled <= self.clock.now(), "an execution was started early"
        if request.name in self.accepted:
            raise AlreadyExists(f"{request.name} exists")
        self.accepted[request.name] = request
        self.order.append((request.spec.launch_plan.name, scheduled))
        if self.lose_next:
            self.lose_next -= 1
            raise asyncio.CancelledError
        return ExecutionCreateResponse()

    def times(self, name: str) -> list[str]:
        return [f"{moment:%dT%H:%M:%S}" for plan, moment in self.order if plan == name]


@dataclass
class Schedules:
    """Launch plans, and schedulers that run them."""

    database: Database
    clock: ManualClock
    plans: LaunchPlanService
    acceptance: Acceptance

    async def register(self, name: str, schedule: Schedule, version: str = "v1", *, active: bool = True) -> None:
        request = LaunchPlanCreateRequest(id=identifier(name, version))
        workflow = "timed" if schedule.kickoff_time_input_arg else "plain"
        request.spec.workflow_id.CopyFrom(identifier(workflow, kind=ResourceType.WORKFLOW))
        request.spec.entity_metadata.schedule.CopyFrom(schedule)
        await self.plans.create(request)
        if active:
            await self.set(name, version)

    async def set(self, name: str, version: str = "v1", *, active: bool = True) -> None:
        state = LaunchPlanState.ACTIVE if active else LaunchPlanState.INACTIVE
        await self.plans.update(LaunchPlanUpdateRequest(id=identifier(name, version), state=state))

    def scheduler(self, catch_up: int = 60) -> Scheduler:
        """A scheduler as a new process has it."""
        settings = SchedulerSettings(catch_up=catch_up)
        return Scheduler(self.database, self.acceptance.create, self.clock, Alarm(self.clock), settings)

    async def run(self, scheduler: Scheduler, **period: float) -> None:
        """Let time pass for a scheduler that looks whenever it wants to."""
        until = self.clock.now() + timedelta(**period)
        while (due := await scheduler.turn()) is not None and due <= until:
            self.pass_time(max((due - self.clock.now()).total_seconds(), 0))
        self.pass_time((until - self.clock.now()).total_seconds())

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)


def _fill(connection: Connection) -> None:
    for name in ("plain", "timed"):
        interface = TypedInterface()
        if name == "timed":
            interface.inputs.variables["at"].type.simple = SimpleType.DATETIME
        connection.execute(
            insert(workflows).values(
                **{part: getattr(identifier(name), part) for part in ("project", "domain", "name", "version")},
                typed_interface=interface.SerializeToString(),
                remote_closure_identifier="",
                digest=b"",
            )
        )


async def schedules_on(database: Database) -> Schedules:
    clock = ManualClock(START)
    domains = Domains({"development": "development"})
    await ProjectService(database, domains).seed(["flytesnacks"])
    await database.write(_fill)
    return Schedules(database, clock, LaunchPlanService(database, domains, clock), Acceptance(clock))


@pytest.fixture
async def schedules(tmp_path: Path) -> AsyncIterator[Schedules]:
    """On SQLite."""
    database = Database(f"sqlite:///{tmp_path / 'schedules.db'}")
    await migrate(database)
    yield await schedules_on(database)
    await database.close()


@pytest.fixture
async def schedules_anywhere(database: Database) -> Schedules:
    """On SQLite and PostgreSQL."""
    return await schedules_on(database)
