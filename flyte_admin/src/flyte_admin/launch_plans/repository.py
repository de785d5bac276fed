"""All queries on launch plans."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flyteidl.admin.common_pb2 import NamedEntityIdentifier
from flyteidl.admin.launch_plan_pb2 import LaunchPlanClosure, LaunchPlanSpec, LaunchPlanState
from flyteidl.core.identifier_pb2 import Identifier
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from flyte_admin.db.listing import Join, Listing
from flyte_admin.db.schema import launch_plans, schedulable_entities, workflows
from flyte_admin.registry.rows import KEY, EntityRows

_TO_WORKFLOW = Join(workflows, workflows.c.id == launch_plans.c.workflow_id)
LISTING = Listing("launch_plan", launch_plans, {"workflow": _TO_WORKFLOW})
ROWS = EntityRows(LISTING, launch_plans, "LAUNCH_PLAN")
IS_ACTIVE = launch_plans.c.state == LaunchPlanState.ACTIVE

_ACTIVE = select(launch_plans).where(
    *(launch_plans.c[part] == bindparam(part) for part in ("project", "domain", "name")), IS_ACTIVE
)


def find_active(connection: Connection, name: NamedEntityIdentifier | Identifier) -> Row[Any] | None:
    """Return the active version of that name, None if there is none."""
    key = {"project": name.project, "domain": name.domain, "name": name.name}
    return connection.execute(_ACTIVE, key).one_or_none()


def set_state(connection: Connection, row: Row[Any], state: LaunchPlanState.ValueType, now: datetime) -> None:
    """Write the state into column and closure, and switch the row of the schedule, where there is one."""
    closure = LaunchPlanClosure.FromString(row.closure)
    closure.state = state
    closure.updated_at.FromDatetime(now)
    connection.execute(
        update(launch_plans)
        .where(launch_plans.c.id == row.id)
        .values(state=state, closure=closure.SerializeToString(), updated_at=now)
    )
    if row.schedule_type != "NONE":
        _set_schedule(connection, row, active=state == LaunchPlanState.ACTIVE, now=now)


def _set_schedule(connection: Connection, row: Row[Any], *, active: bool, now: datetime) -> None:
    table = schedulable_entities
    schedule = LaunchPlanSpec.FromString(row.spec).entity_metadata.schedule
    key = {part: getattr(row, part) for part in KEY}
    values = {
        "cron_expression": schedule.cron_schedule.schedule or schedule.cron_expression,
        "fixed_rate_value": schedule.rate.value,
        "unit": schedule.rate.unit,
        "kickoff_time_input_arg": schedule.kickoff_time_input_arg,
        "active": active,
        "updated_at": now,
    }
    if active:  # what lies before an activation is never made up for
        values |= {"activated_at": now, "settled_until": now, "attempts": 0, "available_at": None, "error": ""}
    matches = [table.c[part] == value for part, value in key.items()]
    if connection.execute(update(table).where(*matches).values(values)).rowcount == 0 and active:
        connection.execute(insert(table), {**key, **values, "created_at": now})
