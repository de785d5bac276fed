"""What is registered about the thing to launch, read once and kept: registered entities never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from flyteidl.admin.launch_plan_pb2 import LaunchPlanClosure, LaunchPlanSpec
from flyteidl.admin.matchable_resource_pb2 import WorkflowExecutionConfig
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from sqlalchemy import Connection, select

from flyte_admin.db.database import Database
from flyte_admin.db.schema import launch_plans, tasks, workflows
from flyte_core.errors import NotFound

KEPT = 1024
"""Launch plans that are kept, at most."""


@dataclass(frozen=True, slots=True)
class LaunchSource:
    """A launch plan as stored, with the surrogate keys that an execution's row refers to.

    :ivar task_id: surrogate key of the task that is launched by itself; None for a launch plan
    """

    launch_plan_id: int
    workflow_id: int
    task_id: int | None
    name: str
    spec: LaunchPlanSpec
    closure: LaunchPlanClosure


@dataclass(frozen=True, slots=True)
class ProjectDefaults:
    """What a project and its domain say about executions in them.

    :ivar labels: put on executions where the request has no such label
    :ivar config: the matchable WORKFLOW_EXECUTION_CONFIG, None if there is none
    """

    labels: tuple[tuple[str, str], ...] = ()
    config: WorkflowExecutionConfig | None = None


CheckProject = Callable[[str, str], Awaitable[ProjectDefaults]]
"""Takes project and domain; raises unless the project is active and has that domain."""
SingleTask = Callable[[Identifier], Awaitable[Identifier]]
"""Takes a task's identifier, makes sure that a launch plan for it alone exists, and returns that plan's identifier."""


class LaunchSources:
    """Finds launch plans, and makes them for single tasks.

    :param single_task: see :data:`SingleTask`
    """

    def __init__(self, database: Database, single_task: SingleTask) -> None:
        self._database = database
        self._single_task = single_task
        self._kept: OrderedDict[bytes, LaunchSource] = OrderedDict()

    async def find(self, identifier: Identifier) -> LaunchSource:
        """Return what an execution of this launch plan or task needs.

        :raises NotFound: if it is not registered
        """
        key = identifier.SerializeToString(deterministic=True)
        found = self._kept.get(key)
        if found is None:
            plan = identifier
            if identifier.resource_type == ResourceType.TASK:
                plan = await self._single_task(identifier)
            found = await self._database.read(lambda connection: _read(connection, plan, identifier))
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found


def _read(connection: Connection, plan: Identifier, identifier: Identifier) -> LaunchSource:
    row = connection.execute(
        select(launch_plans.c.id, launch_plans.c.spec, launch_plans.c.closure, workflows.c.id.label("workflow"))
        .join(workflows, workflows.c.id == launch_plans.c.workflow_id)
        .where(
            launch_plans.c.project == plan.project,
            launch_plans.c.domain == plan.domain,
            launch_plans.c.name == plan.name,
            launch_plans.c.version == plan.version,
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"missing entity of type LAUNCH_PLAN with identifier {_text(plan)}")
    task_id = None
    if identifier.resource_type == ResourceType.TASK:
        task_id = connection.execute(
            select(tasks.c.id).where(
                tasks.c.project == identifier.project,
                tasks.c.domain == identifier.domain,
                tasks.c.name == identifier.name,
                tasks.c.version == identifier.version,
            )
        ).scalar_one()
    return LaunchSource(
        launch_plan_id=row.id,
        workflow_id=row.workflow,
        task_id=task_id,
        name=plan.name,
        spec=LaunchPlanSpec.FromString(row.spec),
        closure=LaunchPlanClosure.FromString(row.closure),
    )


def _text(identifier: Identifier) -> str:
    return ":".join((identifier.project, identifier.domain, identifier.name, identifier.version))
