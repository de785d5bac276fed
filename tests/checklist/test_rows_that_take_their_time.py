"""What happens a while after it was asked for: schedules begin with the server, and are looked at in the end."""

from __future__ import annotations

import time
from datetime import UTC
from typing import Any

import pytest
from flyteidl.admin.execution_pb2 import ExecutionMetadata

from flyte_kit.remote.executions import FlyteWorkflowExecution

pytestmark = pytest.mark.slow
DUE_SECONDS = 75
"""After the activation of a plan for every minute."""


def _started_by(up: Any, plan: str) -> list[FlyteWorkflowExecution]:
    found: list[FlyteWorkflowExecution] = up.remote.recent_executions(filters=f"eq(launch_plan.name,{plan})")
    return found


def _first_of_schedule(up: Any) -> FlyteWorkflowExecution | None:
    while True:
        overdue = time.monotonic() > up.scheduled_at + DUE_SECONDS
        started = _started_by(up, "rows.every_minute")
        if started or overdue:
            return started[-1] if started else None
        time.sleep(0.5)


def test_042_schedules_b_start_executions_that_are_told_their_time(up: Any) -> None:
    first = _first_of_schedule(up)
    assert first is not None
    execution = up.remote.wait(first, timeout=20)
    assert execution.spec.metadata.mode == ExecutionMetadata.SCHEDULED
    told = execution.outputs.get("o0")
    assert told == execution.spec.metadata.scheduled_at.ToDatetime(tzinfo=UTC)


def test_051_how_many_may_run_at_once_b_decides_whether_a_schedule_starts_another(up: Any) -> None:
    assert _first_of_schedule(up) is not None
    assert len(_started_by(up, "rows.one_at_a_time")) == 1  # ours, which still runs
