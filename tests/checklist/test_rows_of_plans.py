"""Launch plans that start by themselves, caches, artifacts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin.schedule_pb2 import FixedRateUnit
from flyteidl.core.catalog_pb2 import CatalogCacheStatus
from flyteidl.core.execution_pb2 import WorkflowExecution

from flyte_kit import Cache, CachePolicy, ConcurrencyLimitBehavior, CronSchedule, FixedRate, VersionParameters, task
from serialized import plan_of, spec_of, template_of


@pytest.fixture
def plans(program: Callable[[str], Any]) -> Any:
    return program("rows_of_plans")


def test_042_schedules_a_stand_in_the_launch_plan_and_wrong_ones_are_refused(plans: Any) -> None:
    rate = plan_of(plans.every_minute).spec.entity_metadata.schedule
    assert (rate.rate.value, rate.rate.unit, rate.kickoff_time_input_arg) == (1, FixedRateUnit.MINUTE, "at")
    cron = plan_of(plans.every_day).spec.entity_metadata.schedule
    assert (cron.cron_schedule.schedule, cron.kickoff_time_input_arg) == ("30 4 * * *", "at")
    with pytest.raises(ValueError, match="25"):
        CronSchedule(schedule="0 25 * * *")
    with pytest.raises(AssertionError, match="minute"):
        FixedRate(timedelta(seconds=30))


def test_043_notifications_a_stand_in_the_launch_plan(plans: Any) -> None:
    mail, slack = plan_of(plans.told).spec.entity_metadata.notifications
    assert [*mail.phases] == [WorkflowExecution.FAILED]
    assert [*mail.email.recipients_email] == ["a@example.com"]
    assert [*slack.phases] == [WorkflowExecution.SUCCEEDED, WorkflowExecution.ABORTED]


def test_043_notifications_b_are_sent_when_an_execution_fails(plans: Any, up: Any) -> None:
    assert up.run(plans.told_of_failure, inputs={"at": datetime.now(UTC)}).phase == "FAILED"
    until = time.monotonic() + 10
    while "boiler@example.com" not in up.server.log.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    [notice] = map(json.loads, (up.server.data / "notifications.jsonl").read_text().splitlines())
    assert (notice["recipients"], notice["phase"]) == (["boiler@example.com"], "FAILED")
    assert "the boiler is cold" in notice["body"]
    assert "boiler@example.com" in up.server.log.read_text()


def test_051_how_many_may_run_at_once_a_stands_in_the_launch_plan(plans: Any) -> None:
    policy = plan_of(plans.one_at_a_time).spec.concurrency_policy
    assert (policy.max, policy.behavior) == (1, ConcurrencyLimitBehavior.SKIP.value)


def test_016_a_cached_task_runs_once_for_equal_inputs(plans: Any, up: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "ran")
    first, second = (up.run(plans.cached, inputs={"path": path}) for _ in range(2))
    assert first.outputs.get("o0") == second.outputs.get("o0") == 1
    [node] = [node for node in second.node_executions.values() if node.id.node_id not in ("start-node", "end-node")]
    assert node.closure.task_node_metadata.cache_status == CatalogCacheStatus.CACHE_HIT


def test_052_caches_a_have_policies_salt_ignored_inputs_and_one_writer() -> None:
    class OfTheName(CachePolicy):
        def get_version(self, salt: str, params: VersionParameters[Any, Any]) -> str:
            assert params.func is not None
            return salt + params.func.__name__

    def version(salt: str) -> Any:
        @task(cache=Cache(policies=[OfTheName()], salt=salt, serialize=True, ignored_inputs=("y",)))
        def work(x: int, y: int) -> int:
            return x

        return template_of(work).metadata

    assert version("a").discovery_version == version("a").discovery_version != version("b").discovery_version
    assert version("a").cache_serializable
    assert [*version("a").cache_ignore_input_vars] == ["y"]


def test_052_caches_b_let_one_of_two_run_and_the_other_wait_for_it(plans: Any, up: Any, tmp_path: Path) -> None:
    inputs = {"path": str(tmp_path / "ran")}
    both = [up.remote.execute(plans.cached_one_by_one, inputs=inputs) for _ in range(2)]
    assert [up.remote.wait(each, timeout=30).outputs.get("o0") for each in both] == [1, 1]


def test_049_a_hash_of_a_value_a_takes_its_place_in_the_local_cache(plans: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "ran")
    assert [plans.of_equal_things(n=n, path=path) for n in (1, 1, 2)] == [1, 1, 2]


def test_049_a_hash_of_a_value_b_takes_its_place_in_the_cache(plans: Any, up: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "ran")
    assert [up.value(plans.of_equal_things, n=n, path=path) for n in (1, 1, 2)] == [1, 1, 2]


def test_048_a_cached_task_runs_once_on_this_machine(plans: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "ran")
    assert [plans.cached(path=path), plans.cached(path=path)] == [1, 1]
    assert plans.cached(path=str(tmp_path / "other")) == 1


def test_053_the_artifact_of_an_output_is_kept_with_its_interface(plans: Any, up: Any) -> None:
    wanted = template_of(plans.made).interface.outputs.variables["o0"].artifact_partial_id
    assert wanted.artifact_key.name == "rows-simple"
    fetched = up.remote.fetch_task(name=plans.made.name, version=up.remote.register_script(plans.made).id.version)
    assert fetched.interface.outputs.variables["o0"].artifact_partial_id == wanted


def test_103_a_plan_that_says_so_is_active_once_it_is_registered(plans: Any, up: Any) -> None:
    registered = up.remote.register_script(plans.active_by_itself)
    active = up.remote.fetch_active_launchplan(name="rows.active_by_itself")
    assert active is not None
    assert active.id.version == registered.id.version
    up.remote.deactivate_launchplan(registered.id)
    assert up.remote.fetch_active_launchplan(name="rows.active_by_itself") is None
    assert spec_of(plans.at_a_time).template.id.name == "rows_of_plans.at_a_time"
