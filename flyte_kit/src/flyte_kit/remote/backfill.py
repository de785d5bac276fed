"""A workflow that runs a scheduled launch plan for the times of the past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from flyteidl.admin.schedule_pb2 import Schedule

from flyte_core.errors import FailedPrecondition
from flyte_core.timetables import between, timetable
from flyte_kit.core.imperative_workflow import ImperativeWorkflow
from flyte_kit.core.workflow import WorkflowFailurePolicy
from flyte_kit.remote.entities import FlyteLaunchPlan


def scheduled_times(schedule: Schedule, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the times of a schedule after ``start``, up to ``end``; those of a fixed rate count from ``start``.

    :raises FailedPrecondition: if the launch plan has no schedule
    :raises InvalidInput: if the schedule cannot be read
    """
    times = timetable(schedule, start)
    if times is None:
        raise FailedPrecondition("Cannot backfill a launch plan without a schedule")
    yield from between(times, start, end)


def backfill_workflow(
    start_date: datetime,
    end_date: datetime,
    for_lp: FlyteLaunchPlan,
    parallel: bool = False,
    per_node_timeout: timedelta | None = None,
    per_node_retries: int = 0,
    failure_policy: WorkflowFailurePolicy | None = None,
) -> tuple[ImperativeWorkflow, datetime, datetime]:
    """Return the workflow, and the first and last time that it runs the plan for.

    :param parallel: whether the runs do not wait for each other
    :raises FailedPrecondition: if the schedule has no time in between
    """
    if start_date >= end_date:
        raise ValueError(f"end-date {end_date} must be greater than start-date {start_date}")
    schedule = for_lp.spec.entity_metadata.schedule
    times = list(scheduled_times(schedule, _aware(start_date), _aware(end_date)))
    if not times:
        raise FailedPrecondition(f"The schedule of {for_lp.name} has no time between {start_date} and {end_date}")
    workflow = ImperativeWorkflow(name=f"backfill-{for_lp.name}", failure_policy=failure_policy)
    before: Any = None
    for index, moment in enumerate(times):
        inputs = {schedule.kickoff_time_input_arg: moment} if schedule.kickoff_time_input_arg else {}
        node = workflow.add_launch_plan(for_lp, **inputs)
        node.with_overrides(name=f"b-{index}", retries=per_node_retries, timeout=per_node_timeout)
        if before is not None and not parallel:
            before.runs_before(node)
        before = node
    return workflow, times[0], times[-1]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
