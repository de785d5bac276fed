"""The rules of registering, reading and activating launch plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flyteidl.admin.common_pb2 import (
    NamedEntityIdentifierList,
    NamedEntityIdentifierListRequest,
    ObjectGetRequest,
    ResourceListRequest,
)
from flyteidl.admin.launch_plan_pb2 import (
    ActiveLaunchPlanListRequest,
    ActiveLaunchPlanRequest,
    LaunchPlan,
    LaunchPlanClosure,
    LaunchPlanCreateRequest,
    LaunchPlanCreateResponse,
    LaunchPlanList,
    LaunchPlanSpec,
    LaunchPlanState,
    LaunchPlanUpdateRequest,
    LaunchPlanUpdateResponse,
)
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.core.interface_pb2 import TypedInterface
from sqlalchemy import Connection, Row, select

from flyte_admin.db import Database
from flyte_admin.db.listing import Page
from flyte_admin.db.schema import launch_plans
from flyte_admin.launch_plans import repository
from flyte_admin.launch_plans.repository import ROWS
from flyte_admin.launch_plans.schedules import schedule_type
from flyte_admin.launch_plans.validation import check_launch_plan, launch_plan_closure
from flyte_admin.registry.admission import Domains, implied
from flyte_admin.registry.content import differences, digest
from flyte_admin.registry.rows import check_scope, name_list, row_identifier
from flyte_admin.workflows.repository import ROWS as WORKFLOWS
from flyte_core.clock import Clock
from flyte_core.errors import AlreadyExists, InvalidInput, NotFound
from flyte_core.identifiers import check_identifier


class LaunchPlanService:
    """Registers, reads and activates launch plans.

    :param wake_scheduler: called after each commit that changed which launch plans are active
    """

    def __init__(
        self, database: Database, domains: Domains, clock: Clock, *, wake_scheduler: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._domains = domains
        self._clock = clock
        self._wake_scheduler = wake_scheduler

    async def create(self, request: LaunchPlanCreateRequest) -> LaunchPlanCreateResponse:
        """Register a version of a launch plan, inactive.

        :raises InvalidInput: if it is malformed, does not fit its workflow, or exists with other content
        :raises NotFound: if the workflow is not registered
        :raises AlreadyExists: if the version exists with this content
        """
        check_launch_plan(request)
        existing = await self._database.write(lambda connection: self._add(connection, request))
        if existing is not None:
            _refuse_second(request, existing)
        return LaunchPlanCreateResponse()

    def _add(self, connection: Connection, request: LaunchPlanCreateRequest) -> Row[Any] | None:
        self._domains.require_active(connection, request.id.project, request.id.domain)
        existing = ROWS.find(connection, request.id)
        if existing is None:
            workflow = WORKFLOWS.get(connection, request.spec.workflow_id)
            closure = launch_plan_closure(request.spec, TypedInterface.FromString(workflow.typed_interface))
            now = self._clock.now()
            closure.created_at.FromDatetime(now)
            closure.updated_at.FromDatetime(now)
            values = {
                "spec": request.spec.SerializeToString(),
                "workflow_id": workflow.id,
                "closure": closure.SerializeToString(),
                "state": LaunchPlanState.INACTIVE,
                "digest": digest(request.spec),
                "schedule_type": schedule_type(request.spec.entity_metadata.schedule),
                "created_at": now,
                "updated_at": now,
            }
            ROWS.insert(connection, request.id, values)
        return existing

    async def get(self, request: ObjectGetRequest) -> LaunchPlan:
        """Return one version.

        :raises NotFound: if there is no such version
        """
        identifier = implied(request.id, ResourceType.LAUNCH_PLAN)
        return _message(await self._database.read(lambda connection: ROWS.get(connection, identifier)))

    async def get_active(self, request: ActiveLaunchPlanRequest) -> LaunchPlan:
        """Return the active version of a name.

        :raises NotFound: if none is active
        """
        name = request.id
        check_identifier(name, "id")
        row = await self._database.read(lambda connection: repository.find_active(connection, name))
        if row is None:
            raise NotFound(f"No active launch plan could be found: {name.project}:{name.domain}:{name.name}")
        return _message(row)

    async def list(self, request: ResourceListRequest) -> LaunchPlanList:
        """Return a page of versions, of one name or of all names in a project and domain."""
        return _list(await self._database.read(ROWS.page(request).fetch))

    async def list_active(self, request: ActiveLaunchPlanListRequest) -> LaunchPlanList:
        """Return a page of the active versions in a project and domain."""
        check_scope(request.project, request.domain)
        statement = select(launch_plans).where(
            launch_plans.c.project == request.project, launch_plans.c.domain == request.domain, repository.IS_ACTIVE
        )
        return _list(await self._database.read(repository.LISTING.query(request, statement).fetch))

    async def list_ids(self, request: NamedEntityIdentifierListRequest) -> NamedEntityIdentifierList:
        """Return a page of names."""
        return name_list(await self._database.read(ROWS.names(request).fetch))

    async def update(self, request: LaunchPlanUpdateRequest) -> LaunchPlanUpdateResponse:
        """Activate a version, which ends the activity of every other version of its name, or deactivate it.

        The schedule moves along in the same transaction.

        :raises NotFound: if there is no such version
        """
        identifier = implied(request.id, ResourceType.LAUNCH_PLAN)
        if request.state not in LaunchPlanState.values():
            raise InvalidInput(f"invalid value for state: {request.state}", field="state")
        now = self._clock.now()

        def change(connection: Connection) -> None:
            row = ROWS.get(connection, identifier)
            if row.state == request.state:
                return
            if request.state == LaunchPlanState.ACTIVE:
                active = repository.find_active(connection, identifier)
                if active is not None:
                    repository.set_state(connection, active, LaunchPlanState.INACTIVE, now)
            repository.set_state(connection, row, request.state, now)

        await self._database.write(change)
        self._wake_scheduler()
        return LaunchPlanUpdateResponse()


def _refuse_second(request: LaunchPlanCreateRequest, existing: Row[Any]) -> None:
    if existing.digest == digest(request.spec):
        raise AlreadyExists("launch plan with identical structure already exists", identical=True)
    raise InvalidInput(
        f"{request.id.name} launch plan with different structure already exists. "
        "(Please register a new version of the launch plan):\n"
        + differences(LaunchPlanSpec.FromString(existing.spec), request.spec),
        field="spec",
    )


def _list(page: Page) -> LaunchPlanList:
    return LaunchPlanList(launch_plans=[_message(row) for row in page.rows], token=page.token)


def _message(row: Row[Any]) -> LaunchPlan:
    return LaunchPlan(
        id=row_identifier(row, ResourceType.LAUNCH_PLAN),
        spec=LaunchPlanSpec.FromString(row.spec),
        closure=LaunchPlanClosure.FromString(row.closure),
    )
