"""Attempts of one task node: budgets, deadlines, what they are called and what is reported of them."""

from __future__ import annotations

import pytest
from flyteidl.event.event_pb2 import TaskExecutionMetadata

from driving import RUNNING, SUCCESS, Driven, failed, task, workflow
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo


def one(**fields) -> Driven:
    return Driven(workflow({"n0": task(**fields)}))


def retry(attempts: int) -> dict[str, int]:
    return {"minAttempts": attempts}


async def test_a_retryable_failure_gets_the_attempts_that_the_user_has_asked_for() -> None:
    driven = await one(retry=retry(3)).start()
    for attempt in range(3):
        await driven.show("n0", failed("Boom", "no luck"), attempt)
    assert driven.of("n0") == ["QUEUED", "RUNNING", "FAILED"]
    assert [driven.of(f"n0/{attempt}") for attempt in range(3)] == [["QUEUED", "FAILED"]] * 3
    (error,) = driven.errors("n0")
    assert error.code == "RetriesExhausted|Boom"
    assert error.message == "[3/3] currentAttempt done. Last Error: USER::no luck"
    assert error.kind == error.USER
    assert driven.errors("workflow")[-1] == error
    assert driven.host.alive == set()


async def test_without_retries_the_one_attempt_is_named_in_the_error() -> None:
    driven = await one().start()
    await driven.show("n0", failed("Boom", "no luck"))
    assert driven.errors("n0")[0].message == "[1/1] currentAttempt done. Last Error: USER::no luck"


async def test_a_permanent_failure_is_the_error_as_it_is_whatever_retries_are_left() -> None:
    driven = await one(retry=retry(3)).start()
    await driven.show("n0", failed("Bad", "wrong", retryable=False))
    assert (driven.errors("n0")[0].code, driven.errors("n0")[0].message) == ("Bad", "wrong")
    assert list(driven.host.contexts) == ["x-n0-0"]


async def test_lost_attempts_cost_the_user_nothing_until_the_platforms_budget_is_used_up() -> None:
    driven = await one(retry=retry(2)).start()
    for attempt in range(3):
        await driven.show("n0", failed("Interrupted", "node lost", kind="SYSTEM"), attempt)
    await driven.show("n0", failed("Boom"), 3)
    await driven.show("n0", SUCCESS, 4)
    assert driven.of("workflow")[-1] == "SUCCEEDED"


async def test_the_platforms_budget_is_three_retries() -> None:
    driven = await one(retry=retry(9)).start()
    for attempt in range(4):
        await driven.show("n0", failed("Interrupted", "node lost", kind="SYSTEM"), attempt)
    (error,) = driven.errors("n0")
    assert error.code == "RetriesExhausted|Interrupted"
    assert error.message == "[3/3] currentAttempt done. Last Error: SYSTEM::node lost"


async def test_the_last_retry_of_the_platform_is_not_interruptible() -> None:
    driven = await one(interruptible=True).start()
    for attempt in range(2):
        await driven.show("n0", failed("Interrupted", kind="SYSTEM"), attempt)
    assert [ctx.interruptible for ctx in driven.host.contexts.values()] == [True, True, False]
    events = [request.event for request in driven.admin.events if hasattr(request.event, "task_id")]
    classes = {(event.retry_attempt, event.metadata.instance_class) for event in events}
    interruptible, default = TaskExecutionMetadata.INTERRUPTIBLE, TaskExecutionMetadata.DEFAULT
    assert classes == {(0, interruptible), (1, interruptible), (2, default)}


async def test_the_next_attempt_waits_until_nothing_of_the_one_before_is_left() -> None:
    driven = await one(retry=retry(2)).start()
    driven.host.lingering.add("n0")
    await driven.show("n0", failed())
    assert list(driven.host.contexts) == ["x-n0-0"]
    driven.host.lingering.clear()
    driven.wake("n0")
    await driven.attend()
    assert list(driven.host.contexts) == ["x-n0-0", "x-n0-1"]


async def test_the_next_attempt_is_told_where_the_one_before_kept_its_checkpoint() -> None:
    driven = await one(retry=retry(2)).start()
    await driven.show("n0", failed())
    first, second = (ctx.paths for ctx in driven.host.contexts.values())
    assert first.previous_checkpoint_prefix == ""
    assert second.previous_checkpoint_prefix == first.checkpoint_prefix
    assert second.checkpoint_prefix != first.checkpoint_prefix
    assert second.output_prefix.endswith("/n0/data/1")


async def test_an_attempt_that_takes_too_long_is_ended_and_counts_as_the_users() -> None:
    driven = await one(retry=retry(2), executionDeadline="1m0s").start()
    await driven.show("n0", RUNNING)
    await driven.pass_time(59)
    assert driven.of("n0/0") == ["QUEUED", "RUNNING"]
    await driven.pass_time(1)
    assert driven.of("n0/0") == ["QUEUED", "RUNNING", "FAILED"]
    assert driven.errors("n0/0")[0].code == "TimeoutExpired"
    await driven.pass_time(60)
    (error,) = driven.errors("n0")
    assert error.code == "RetriesExhausted|TimeoutExpired"
    text = "[2/2] currentAttempt done. Last Error: USER::task execution timeout [1m0s] expired"
    assert error.message == text
    assert driven.host.alive == set()


async def test_a_node_that_takes_too_long_with_all_its_attempts_times_out() -> None:
    driven = await one(retry=retry(9), executionDeadline="30m0s", activeDeadline="1h0m0s").start()
    await driven.pass_time(1800)
    await driven.pass_time(1800)
    assert driven.of("n0") == ["QUEUED", "RUNNING", "TIMED_OUT"]
    (error,) = driven.errors("n0")
    assert (error.code, error.message) == ("Timeout", "task active timeout [1h0m0s] expired")
    assert driven.of("workflow")[-1] == "FAILED"


async def test_deadlines_hold_after_a_restart() -> None:
    driven = await one(executionDeadline="1m0s").start()
    driven.new_propeller()
    await driven.attend()
    await driven.pass_time(61)
    assert driven.of("workflow")[-1] == "FAILED"


async def test_a_report_is_sent_once_and_never_goes_back() -> None:
    driven = await one().start()
    for phase, version in [(3, 1), (3, 1), (4, 0), (5, 1), (5, 0), (4, 2), (5, 2)]:
        await driven.show("n0", PhaseInfo(TaskPhase(phase), version, reason=f"{phase}.{version}"))
    events = [request.event for request in driven.admin.events if hasattr(request.event, "task_id")]
    assert [event.reason for event in events] == ["task submitted to K8s", "3.1", "4.0", "5.1", "5.2"]


async def test_what_cannot_be_launched_fails_with_the_reason() -> None:
    driven = one(retry=retry(3))
    driven.host.refused["x-n0-0"] = failed("BadTaskSpecification", "no such image", retryable=False)
    await driven.start()
    assert driven.of("n0/0") == ["FAILED"]
    assert driven.errors("n0")[0].code == "BadTaskSpecification"


async def test_what_waits_for_resources_is_launched_again_a_little_later() -> None:
    driven = one()
    driven.host.refused["x-n0-0"] = PhaseInfo(TaskPhase.WAITING_FOR_RESOURCES, reason="Exceeded resourcequota: 1")
    await driven.start()
    assert driven.of("n0/0") == ["WAITING_FOR_RESOURCES"]
    del driven.host.refused["x-n0-0"]
    await driven.attend()
    assert driven.of("n0/0") == ["WAITING_FOR_RESOURCES"]
    await driven.pass_time(2)
    assert driven.of("n0/0") == ["WAITING_FOR_RESOURCES", "QUEUED"]


@pytest.mark.parametrize(("length", "cut"), [(100, False), (200_000, True)])
async def test_a_long_message_is_cut_in_the_middle(length: int, cut: bool) -> None:
    driven = await one().start()
    message = "a" * length + "END"
    await driven.show("n0", failed("Bad", message, retryable=False))
    for subject in ("n0/0", "n0", "workflow"):
        text = driven.errors(subject)[0].message
        assert text.endswith("END")
        assert ("... <Message Truncated> ..." in text) is cut
        assert len(text) <= 100 * 1024
