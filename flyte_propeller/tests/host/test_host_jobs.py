"""Jobs behind an API and inline work, through the same door as pods."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.errors import Unavailable
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_propeller.shell.ports import Launched

from .conftest import Install, Open, context, integer, outputs_of

JOBS = """
JOBS = {}
CREATED = []

class Jobs:
    plugin_id = "NAME"
    task_types = ("NAME",)
    name_limit = 32

    async def create(self, ctx, *, token):
        if token not in JOBS:
            CREATED.append(token)
            JOBS[token] = "running"
        return RemoteJob(token.encode())

    async def get(self, ctx, job):
        if JOBS[job.meta.decode()] == "running":
            return PhaseInfo(TaskPhase.RUNNING, version=1)
        return PhaseInfo(TaskPhase.SUCCESS)

    async def delete(self, ctx, job):
        state = JOBS.pop(job.meta.decode(), None)
        return state is None

TASK_TYPE = Jobs
"""
INLINE = """
class Inline:
    plugin_id = "NAME"
    task_types = ("NAME",)
    name_limit = 50

    async def run(self, ctx):
        {body}

TASK_TYPE = Inline
"""


def module(name: str) -> Any:
    return sys.modules[f"host_plugin_{name}"]


async def test_a_job_is_created_once_however_often_it_is_launched(install: Install, bench: Open) -> None:
    install("jobs", JOBS.replace("NAME", "jobs"))
    ready = bench()
    first, second = await ready.host.launch(context("jobs")), await ready.host.launch(context("jobs"))
    assert isinstance(first, Launched)
    assert first == second
    assert first.token
    assert module("jobs").CREATED == ["ex-n0-0"]
    assert ready.host.of_type("jobs") == ("jobs", 32)


async def test_a_job_ends_with_the_outputs_that_it_left(install: Install, bench: Open) -> None:
    install("jobs", JOBS.replace("NAME", "jobs"))
    ready, ctx = bench(), context("jobs")
    launched = await ready.host.launch(ctx)
    assert isinstance(launched, Launched)
    assert await ready.host.observe(ctx, launched) == PhaseInfo(TaskPhase.RUNNING, version=1)
    module("jobs").JOBS["ex-n0-0"] = "done"
    missing = await ready.host.observe(ctx, launched)
    assert missing.error is not None
    assert missing.error.code == "OutputsNotFound"
    await ready.write(ctx, "outputs.pb", outputs_of(o0=integer(1)))
    assert await ready.host.observe(ctx, launched) == PhaseInfo(TaskPhase.SUCCESS)


async def test_a_job_is_deleted_until_the_backend_says_that_it_is_gone(install: Install, bench: Open) -> None:
    install("jobs", JOBS.replace("NAME", "jobs"))
    ready, ctx = bench(), context("jobs")
    launched = await ready.host.launch(ctx)
    assert isinstance(launched, Launched)
    assert not await ready.host.delete(ctx, launched)
    assert await ready.host.delete(ctx, launched)


async def test_a_job_whose_handle_was_lost_is_found_by_its_token_and_deleted(install: Install, bench: Open) -> None:
    install("jobs", JOBS.replace("NAME", "jobs"))
    ready, ctx = bench(), context("jobs")
    await ready.host.launch(ctx)
    await ready.host.delete(ctx, None)
    assert module("jobs").JOBS == {}
    assert module("jobs").CREATED == ["ex-n0-0"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return 'id-1'", "create returned 'id-1', not RemoteJob of bytes"),
        ("return RemoteJob('text')", "not RemoteJob of bytes"),
        ("return RemoteJob(b'x' * 20000)", "a handle of 20000 bytes, the limit is 10240"),
        ("raise SystemExit", "create raised SystemExit"),
        ("import asyncio; raise asyncio.CancelledError", "create cancelled itself"),
        ("import asyncio; await asyncio.sleep(60)", "create took longer than 0.1 s"),
    ],
)
async def test_a_faulty_backend_call_fails_the_task(install: Install, bench: Open, body: str, told: str) -> None:
    code = JOBS.replace("NAME", "jobs").replace("        if token not in JOBS:", f"        {body}\n        if token:")
    install("jobs", code)
    result = await bench(io_seconds=0.1).host.launch(context("jobs"))
    assert isinstance(result, PhaseInfo)
    assert result.error is not None
    assert (result.phase, result.error.code) == (TaskPhase.RETRYABLE_FAILURE, "PluginFault")
    assert f"plugin 'jobs': {told}" in result.error.message or told in result.error.message


async def test_a_backend_that_does_not_answer_is_nobodys_failure(install: Install, bench: Open) -> None:
    code = JOBS.replace("NAME", "jobs").replace(
        "        if token not in", "        raise SystemFault('away')\n        if token not in"
    )
    install("jobs", code)
    with pytest.raises(Unavailable, match="plugin 'jobs': create: away"):
        await bench().host.launch(context("jobs"))


async def test_cancelling_the_host_cancels_the_call(install: Install, bench: Open) -> None:
    code = JOBS.replace("NAME", "jobs").replace(
        "        if token not in", "        import asyncio; await asyncio.sleep(60)\n        if token not in"
    )
    install("jobs", code)
    task = asyncio.create_task(bench().host.launch(context("jobs")))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_inline_work_is_over_at_launch_with_its_outputs_written(install: Install, bench: Open) -> None:
    install(
        "inl", INLINE.replace("NAME", "inl").format(body="return LiteralMap(literals={'o0': ctx.inputs.literals['x']})")
    )
    ready = bench()
    ctx = context("inl", inputs=LiteralMap(literals={"x": integer(7)}))
    assert await ready.host.launch(ctx) == PhaseInfo(TaskPhase.SUCCESS)
    written = LiteralMap.FromString(await ready.store.read("mem://b/n0/data/0/outputs.pb"))
    assert written.literals["o0"] == integer(7)
    assert await ready.host.delete(ctx, None)


@pytest.mark.parametrize(
    ("body", "phase", "code", "kind"),
    [
        ("raise InvalidInput('x')", TaskPhase.PERMANENT_FAILURE, "BadTaskSpecification", ExecutionError.USER),
        ("raise SystemFault('x')", TaskPhase.RETRYABLE_FAILURE, "InlineTaskFailed", ExecutionError.SYSTEM),
        ("raise ValueError('x')", TaskPhase.RETRYABLE_FAILURE, "PluginFault", ExecutionError.SYSTEM),
        ("return {}", TaskPhase.RETRYABLE_FAILURE, "PluginFault", ExecutionError.SYSTEM),
        ("return LiteralMap()", TaskPhase.PERMANENT_FAILURE, "OutputsNotGenerated", ExecutionError.USER),
    ],
)
async def test_failing_inline_work_says_who_is_to_blame(
    install: Install, bench: Open, body: str, phase: TaskPhase, code: str, kind: int
) -> None:
    install("inl", INLINE.replace("NAME", "inl").replace("{body}", body))
    result = await bench().host.launch(context("inl"))
    assert isinstance(result, PhaseInfo)
    assert result.error is not None
    assert (result.phase, result.error.code, result.error.kind) == (phase, code, kind)
