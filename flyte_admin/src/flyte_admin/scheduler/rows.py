"""Active schedules as the database has them, and what is written down about their times."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.admin.schedule_pb2 import Schedule
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from sqlalchemy import ColumnElement, Connection, Row, and_, select, update

from flyte_admin.db.postponing import postpone
from flyte_admin.db.schema import launch_plans, schedulable_entities
from flyte_admin.registry.rows import KEY

LONGEST_DELAY = 60.0
"""Most seconds before an execution that could not be created is tried again."""

_COLUMNS = schedulable_entities.c
_ACTIVE = (
    select(
        *(_COLUMNS[name] for name in ("id", *KEY, "activated_at", "settled_until", "attempts", "available_at")),
    )
    .where(_COLUMNS.active)
    .order_by(_COLUMNS.id)
)
_WITH_SPEC = select(_COLUMNS.id, launch_plans.c.spec).join(
    launch_plans, and_(*(launch_plans.c[part] == _COLUMNS[part] for part in KEY))
)


class Activation(NamedTuple):
    """A schedule from one activation of its launch plan on: with the next one it begins anew."""

    row_id: int
    activated_at: datetime


@dataclass(frozen=True, slots=True)
class ActiveSchedule:
    """A schedule that starts executions.

    :ivar settled_until: every time up to this one was dealt with
    :ivar attempts: that were made for the next time
    :ivar available_at: the next time is not to be tried before; None if it may be tried at once
    """

    activation: Activation
    plan: Identifier
    settled_until: datetime
    attempts: int
    available_at: datetime | None


def active_schedules(
    connection: Connection, known: Collection[Activation]
) -> tuple[list[ActiveSchedule], Mapping[Activation, Schedule]]:
    """Return every active schedule, and the messages of those that are not known yet."""
    found = [_schedule(row) for row in connection.execute(_ACTIVE)]
    unknown = {entry.activation.row_id: entry.activation for entry in found if entry.activation not in known}
    if not unknown:
        return found, {}
    specs = connection.execute(_WITH_SPEC.where(_COLUMNS.id.in_(unknown)))
    return found, {unknown[row.id]: LaunchPlanSpec.FromString(row.spec).entity_metadata.schedule for row in specs}


def _schedule(row: Row[Any]) -> ActiveSchedule:
    parts = {part: getattr(row, part) for part in KEY}
    return ActiveSchedule(
        activation=Activation(row.id, row.activated_at),
        plan=Identifier(resource_type=ResourceType.LAUNCH_PLAN, **parts),
        settled_until=row.settled_until,
        attempts=row.attempts,
        available_at=row.available_at,
    )


def is_pending(connection: Connection, activation: Activation, moment: datetime) -> bool:
    """Tell whether the schedule is active still, and that time not dealt with."""
    return connection.execute(select(_COLUMNS.id).where(_pending(activation, moment))).one_or_none() is not None


def settle(connection: Connection, activation: Activation, moment: datetime, *, error: str, now: datetime) -> None:
    """Write down that the times up to ``moment`` are dealt with, unless it is written already.

    :param error: why there is no execution for that time; empty if there is one
    """
    connection.execute(
        update(schedulable_entities)
        .where(_pending(activation, moment))
        .values(settled_until=moment, attempts=0, available_at=None, error=error[:1024], updated_at=now)
    )


def try_later(connection: Connection, entry: ActiveSchedule, reason: str, now: datetime) -> None:
    """Write down that the next time could not be dealt with, and when it is tried again."""
    postpone(
        connection,
        schedulable_entities,
        entry.activation.row_id,
        failures=entry.attempts,
        longest=LONGEST_DELAY,
        reason=reason,
        now=now,
    )


def _pending(activation: Activation, moment: datetime) -> ColumnElement[bool]:
    return and_(
        _COLUMNS.id == activation.row_id,
        _COLUMNS.active,
        _COLUMNS.activated_at == activation.activated_at,
        _COLUMNS.settled_until < moment,
    )
