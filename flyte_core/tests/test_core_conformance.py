"""The conformance suites pass what keeps its port's contract, and name what breaks it."""

import itertools

import pytest
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.tasks_pb2 import Container, TaskTemplate

from flyte_core.builtin.file_store import FileStore
from flyte_core.cluster import POD
from flyte_core.errors import InvalidInput
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, RemoteJob
from flyte_core.testing.conformance import (
    Nonconforming,
    check_blob_store,
    check_event_sink,
    check_inline_task_type,
    check_remote_job_task_type,
    check_resource_task_type,
)
from flyte_core.testing.fakes import MemoryStore, RecordingSink

TEMPLATE = TaskTemplate(id=Identifier(name="t"), type="box", container=Container(image="img"))


class BoxType:
    plugin_id = "box"
    task_types = ("box",)
    kind = POD
    name_limit = 50

    def build(self, ctx):
        if not ctx.template.container.image:
            raise InvalidInput("no image")
        return {"apiVersion": "v1", "kind": "Pod", "spec": {"image": ctx.template.container.image}}

    def observe(self, ctx, resource):
        done = (resource.get("status") or {}).get("phase") == "Succeeded"
        return PhaseInfo(TaskPhase.SUCCESS if done else TaskPhase.QUEUED)


class Counting(BoxType):
    numbers = itertools.count()

    def build(self, ctx):
        return super().build(ctx) | {"spec": {"number": next(self.numbers)}}


class Meddling(BoxType):
    def build(self, ctx):
        ctx.template.container.image = "other"
        return super().build(ctx)


class OtherKind(BoxType):
    def build(self, ctx):
        return super().build(ctx) | {"kind": "Job"}


class Naming(BoxType):
    def build(self, ctx):
        return super().build(ctx) | {"metadata": {"name": "mine"}}


class Bytes(BoxType):
    def build(self, ctx):
        return super().build(ctx) | {"spec": b"x"}


class Unchecked(BoxType):
    def build(self, ctx):
        image, *_ = [ctx.template.container.image][: bool(ctx.template.container.image)]
        return {"apiVersion": "v1", "kind": "Pod", "spec": {"image": image}}


class Partial(BoxType):
    def observe(self, ctx, resource):
        return PhaseInfo({"Unheard Of": TaskPhase.QUEUED}[resource["status"]["phase"]])


class Unexplained(BoxType):
    def observe(self, ctx, resource):
        return PhaseInfo(TaskPhase.PERMANENT_FAILURE)


class Undecided(BoxType):
    def observe(self, ctx, resource):
        return PhaseInfo(TaskPhase.UNDEFINED)


class Short(BoxType):
    name_limit = 7


class Nameless(BoxType):
    plugin_id = ""


def test_a_good_resource_task_type_passes():
    check_resource_task_type(BoxType(), TEMPLATE)


@pytest.mark.parametrize(
    ("bad", "finding"),
    [
        (Counting, "different results"),
        (Meddling, "changes its arguments"),
        (OtherKind, "'Job'"),
        (Naming, "'mine' itself"),
        (Bytes, "JSON"),
        (Unchecked, "empty 'box' template raised ValueError"),
        (Partial, "observe with status 'missing' raised KeyError"),
        (Unexplained, "if and only if"),
        (Undecided, "UNDEFINED"),
        (Short, "name_limit 7"),
        (Nameless, "plugin_id"),
    ],
)
def test_each_breach_of_a_resource_task_type_is_found(bad, finding):
    template = TaskTemplate()
    template.CopyFrom(TEMPLATE)
    with pytest.raises(Nonconforming, match=bad.__name__) as caught:
        check_resource_task_type(bad(), template)
    assert finding in str(caught.value)


class JobType:
    plugin_id = "job"
    task_types = ("job",)
    name_limit = 50

    def __init__(self):
        self.jobs = {}

    async def create(self, ctx, *, token):
        self.jobs.setdefault(token, "running")
        return RemoteJob(token.encode())

    async def get(self, ctx, job):
        error = ExecutionError(code="Gone", kind=ExecutionError.SYSTEM)
        if job.meta.decode() not in self.jobs:
            return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=error)
        return PhaseInfo(TaskPhase.RUNNING)

    async def delete(self, ctx, job):
        return self.jobs.pop(job.meta.decode(), None) is None


class DoubleJobs(JobType):
    async def create(self, ctx, *, token):
        return await super().create(ctx, token=f"{token}-{len(self.jobs)}")


class StickyJobs(JobType):
    async def delete(self, ctx, job):
        return False


class FatJobs(JobType):
    async def create(self, ctx, *, token):
        return await super().create(ctx, token="x" * 20_000)


async def test_a_good_remote_job_passes():
    await check_remote_job_task_type(JobType(), TEMPLATE)


@pytest.mark.parametrize(
    ("bad", "finding"), [(DoubleJobs, "second job"), (StickyJobs, "gone"), (FatJobs, "20000 bytes")]
)
async def test_each_breach_of_a_remote_job_is_found(bad, finding):
    with pytest.raises(Nonconforming, match=finding):
        await check_remote_job_task_type(bad(), TEMPLATE)


class InlineType:
    plugin_id = "inline"
    task_types = ("inline",)
    name_limit = 50

    async def run(self, ctx):
        return LiteralMap()


class Shouting(InlineType):
    async def run(self, ctx):
        raise RuntimeError("no")


async def test_inline_work_is_checked():
    await check_inline_task_type(InlineType(), TEMPLATE)
    with pytest.raises(Nonconforming, match="run raised RuntimeError: no"):
        await check_inline_task_type(Shouting(), TEMPLATE)


async def test_the_stores_of_this_package_pass(tmp_path):
    await check_blob_store(MemoryStore("s3://b"), "s3://b/x")
    store = FileStore(tmp_path / "root", "s3://flyte")
    await check_blob_store(store, "s3://flyte/x")
    store.close()


class Greedy(MemoryStore):
    def owns(self, uri):
        return True


class Limitless(MemoryStore):
    async def read(self, uri, *, limit=None):
        return await super().read(uri)


class Shuffled(MemoryStore):
    async def list(self, prefix):
        for info in reversed([info async for info in super().list(prefix)]):
            yield info


class Forgetful(MemoryStore):
    async def write(self, uri, data, *, metadata=None):
        await super().write(uri, data)


class Undead(MemoryStore):
    async def delete(self, uri):
        return None


@pytest.mark.parametrize(
    ("bad", "finding"),
    [
        (Greedy, "owns says yes"),
        (Limitless, "limit below its size raised nothing"),
        (Shuffled, "list of"),
        (Forgetful, "metadata is"),
        (Undead, "outlives"),
    ],
)
async def test_each_breach_of_a_store_is_found(bad, finding):
    with pytest.raises(Nonconforming, match=finding):
        await check_blob_store(bad("s3://b"), "s3://b/x")


async def test_a_sink_must_have_a_name_and_take_an_event_again():
    await check_event_sink(RecordingSink())
    with pytest.raises(Nonconforming, match="name is empty"):
        await check_event_sink(RecordingSink(""))
    with pytest.raises(Nonconforming, match="publish of event-1 raised ValueError: twice"):
        await check_event_sink(RecordingSink(failures=[ValueError("twice")]))
