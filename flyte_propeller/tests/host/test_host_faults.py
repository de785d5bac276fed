"""Broken plugins fail their own tasks, with a message that names them, and nothing else."""

from __future__ import annotations

import asyncio
import time

import pytest
from flyteidl.core.execution_pb2 import ExecutionError

from flyte_core.cluster import POD
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.shell.ports import Launched

from .conftest import Install, Open, context, integer, outputs_of

SUBCLASS = """
class Broken(Resource):
    {method}

TASK_TYPE = Broken
"""


def failure(result: object) -> tuple[TaskPhase, str]:
    assert isinstance(result, PhaseInfo)
    assert result.error is not None
    assert result.error.kind == ExecutionError.SYSTEM
    return result.phase, result.error.message


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("def build(self, ctx): raise ValueError('no luck')", "build raised ValueError: no luck"),
        ("def build(self, ctx): raise SystemExit(3)", "build raised SystemExit: 3"),
        ("def build(self, ctx): raise KeyboardInterrupt", "build raised KeyboardInterrupt"),
        ("def build(self, ctx): raise TimeoutError", "build raised TimeoutError"),
        ("def build(self, ctx): raise Unavailable('pure hooks ask nobody')", "build raised Unavailable"),
        ("def build(self, ctx): return None", "build returned NoneType, not a manifest"),
        ("def build(self, ctx): return {'kind': 'Job'}", "not of v1 Pod"),
        ("def build(self, ctx): return {**pod(ctx), 'metadata': []}", "metadata is list"),
        ("def build(self): return {}", "build raised TypeError"),
        ("build = 7", "the methods of exactly one shape"),
        ("name_limit = 3", "needs a plugin_id and a name_limit of 8 or more"),
        ("plugin_id = None", "needs a plugin_id and a name_limit of 8 or more"),
        ("kind = 'Pod'", "kind must be a flyte_core.cluster.Kind"),
    ],
)
async def test_a_fault_at_launch_names_the_plugin(install: Install, bench: Open, method: str, told: str) -> None:
    install("brk", SUBCLASS.format(method=method))
    install("fine")
    ready = bench()
    _, message = failure(await ready.host.launch(context("brk")))
    assert told in message
    assert "brk" in message or "Broken" in message
    assert isinstance(await ready.host.launch(context("fine")), Launched)


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("def observe(self, ctx, resource): raise MemoryError", "observe raised MemoryError"),
        ("def observe(self, ctx, resource): return None", "observe returned NoneType, not PhaseInfo"),
        ("def observe(self, ctx, resource): return PhaseInfo(42)", "observe reported 42, which is no TaskPhase"),
        ("def observe(self, ctx, resource): return PhaseInfo(TaskPhase.UNDEFINED)", "observe reported UNDEFINED"),
        ("def observe(self, ctx, resource): return PhaseInfo(TaskPhase.ABORTED)", "observe reported ABORTED"),
        (
            "def observe(self, ctx, resource): return PhaseInfo(TaskPhase.PERMANENT_FAILURE)",
            "observe reported PERMANENT_FAILURE without an ExecutionError",
        ),
        (
            "def observe(self, ctx, resource): return PhaseInfo(TaskPhase.RUNNING, error=ExecutionError())",
            "observe reported RUNNING with an error",
        ),
        ("def observe(self, ctx, resource): return PhaseInfo(TaskPhase.RUNNING, version=-1)", "version=-1"),
        ("def observe(self, ctx, resource): return PhaseInfo(TaskPhase.RUNNING, logs=['x'])", "logs=['x']"),
    ],
)
async def test_a_fault_of_observing_is_a_retryable_failure(
    install: Install, bench: Open, method: str, told: str
) -> None:
    install("brk", SUBCLASS.format(method=method))
    ready = bench()
    launched = await ready.host.launch(context("brk"))
    assert isinstance(launched, Launched)
    phase, message = failure(await ready.host.observe(context("brk"), launched))
    assert phase is TaskPhase.RETRYABLE_FAILURE
    assert message.startswith("plugin 'brk': observe ")
    assert told in message
    assert await ready.host.delete(context("brk"), launched), "what a broken plugin created is deleted all the same"
    assert await ready.cluster.get(POD, "p-d", "ex-n0-0") is None


async def test_a_template_that_the_plugin_refuses_is_the_users_failure(install: Install, bench: Open) -> None:
    install("brk", SUBCLASS.format(method="def build(self, ctx): raise InvalidInput('no image')"))
    info = await bench(in_a_row=1).host.launch(context("brk"))
    assert isinstance(info, PhaseInfo)
    assert info.error is not None
    assert (info.phase, info.error.code) == (TaskPhase.PERMANENT_FAILURE, "BadTaskSpecification")
    assert info.error.kind == ExecutionError.USER
    assert info.error.message == "task My.task: no image"


async def test_an_unknown_task_type_says_what_is_missing(install: Install, bench: Open) -> None:
    phase, message = failure(await bench().host.launch(context("no-such-type")))
    assert phase is TaskPhase.PERMANENT_FAILURE
    assert "task type 'no-such-type'" in message
    assert "install" in message
    assert bench().host.of_type("no-such-type") == ("", 50)


async def test_a_plugin_that_cannot_be_imported_fails_its_tasks_with_the_reason(install: Install, bench: Open) -> None:
    install("brk", "import no_such_module_at_all")
    install("exits", "raise SystemExit")
    ready = bench()
    assert "no_such_module_at_all" in failure(await ready.host.launch(context("brk")))[1]
    assert "SystemExit" in failure(await ready.host.launch(context("exits")))[1]


async def test_a_hook_that_blocks_holds_up_only_its_own_task(install: Install, bench: Open) -> None:
    install("brk", "import time\n" + SUBCLASS.format(method="def build(self, ctx): time.sleep(60)"))
    install("fine")
    ready = bench(pure_seconds=0.2)
    started = time.monotonic()
    blocked = asyncio.create_task(ready.host.launch(context("brk")))
    await asyncio.sleep(0.05)
    assert isinstance(await ready.host.launch(context("fine")), Launched)
    assert not blocked.done()
    assert "build took longer than 0.2 s" in failure(await blocked)[1]
    assert time.monotonic() - started < 5


async def test_faults_in_a_row_shut_the_plugin_out_for_a_while(install: Install, bench: Open) -> None:
    install("brk", SUBCLASS.format(method="def build(self, ctx): raise ValueError('no luck')"))
    ready = bench(in_a_row=3)
    for _ in range(3):
        phase, _ = failure(await ready.host.launch(context("brk")))
        assert phase is TaskPhase.RETRYABLE_FAILURE
    phase, message = failure(await ready.host.launch(context("brk")))
    assert phase is TaskPhase.PERMANENT_FAILURE
    assert "plugin 'brk' is quarantined until 00:05:00 UTC: 3 faults of build in a row" in message
    assert "ValueError: no luck" in message
    ready.clock.advance(301)
    assert "quarantined" not in failure(await ready.host.launch(context("brk")))[1]
    assert "quarantined" in failure(await ready.host.launch(context("brk")))[1], "one more fault, and it rests again"


async def test_what_a_shut_out_plugin_runs_goes_on_running(install: Install, bench: Open) -> None:
    method = """
    def observe(self, ctx, resource):
        if "status" in resource:
            return by_phase(ctx, resource)
        raise ValueError("nothing to see")
"""
    install("brk", SUBCLASS.format(method=method))
    ready = bench(in_a_row=1)
    ctx = context("brk")
    launched = await ready.host.launch(ctx)
    assert isinstance(launched, Launched)
    failure(await ready.host.observe(ctx, launched))
    waiting = await ready.host.observe(ctx, launched)
    assert (waiting.phase, waiting.error) == (TaskPhase.QUEUED, None)
    pod = await ready.cluster.get(POD, "p-d", "ex-n0-0")
    assert pod is not None
    await ready.cluster.replace({**pod, "status": {"phase": "Succeeded"}})
    await ready.write(ctx, "outputs.pb", outputs_of(o0=integer(1)))
    ready.clock.advance(301)
    assert (await ready.host.observe(ctx, launched)).phase is TaskPhase.SUCCESS


async def test_good_answers_in_between_keep_a_plugin(install: Install, bench: Open) -> None:
    code = """
    COUNT = 0
    class Broken(Resource):
        def build(self, ctx):
            global COUNT
            COUNT += 1
            if COUNT % 2:
                raise ValueError
            return pod(ctx)
    TASK_TYPE = Broken
    """
    install("brk", code)
    ready = bench(in_a_row=2)
    results = [await ready.host.launch(context("brk")) for _ in range(6)]
    assert [isinstance(result, Launched) for result in results] == [False, True] * 3


async def test_what_a_plugin_does_to_its_arguments_changes_nothing_here(install: Install, bench: Open) -> None:
    method = """
    def build(self, ctx):
        ctx.template.container.args.append("{{.taskTemplatePath}}")
        ctx.id.retry_attempt = 7
        ctx.labels["execution-id"] = "other"
        ctx.owner["uid"] = "other"
        return pod(ctx)

    def observe(self, ctx, resource):
        resource["metadata"]["uid"] = "other"
        resource["status"] = {"phase": "Failed"}
        return PhaseInfo(TaskPhase.RUNNING)
"""
    install("brk", SUBCLASS.format(method=method))
    ready = bench()
    ctx = context("brk")
    launched = await ready.host.launch(ctx)
    assert isinstance(launched, Launched)
    await ready.host.observe(ctx, launched)
    assert list(ctx.template.container.args) == ["run"]
    assert ctx.id.retry_attempt == 0
    pod = await ready.cluster.get(POD, "p-d", "ex-n0-0")
    assert pod is not None
    assert pod["metadata"]["labels"]["execution-id"] == "ex"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == "owner-1"
    assert pod["metadata"]["uid"] == launched.token
    assert "status" not in pod
