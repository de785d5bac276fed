"""The run loop over a cluster: wake-ups by watches, outages, faults of one execution, garbage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from driving import SETTINGS, SUCCESS, Driven, failed, task, workflow
from flyte_core.clock import SystemClock
from flyte_core.cluster import FLYTE_WORKFLOW, POD
from flyte_core.errors import AlreadyExists, Conflict, Unavailable
from flyte_core.events import ExecutionEventRequest, Verdict
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_core.testing.fakes import MemoryCluster, MemoryStore
from flyte_propeller.operator import Propeller
from flyte_propeller.shell.ports import EventReply, Launched
from flyte_propeller.shell.round import Ports
from flyte_propeller.testing import RecordingAdmin
from flyte_propeller.wakeups import Key, Wakeups

NO_RESYNC = replace(SETTINGS, resync_seconds=3600.0)


class PodHost:
    """A task host whose attempts are pods of the cluster; a pod that is created ends at once."""

    def __init__(self, cluster: MemoryCluster, store: MemoryStore) -> None:
        self._cluster = cluster
        self._store = store
        self.ends_at_once = True

    async def launch(self, ctx: TaskContext) -> Launched | PhaseInfo:
        metadata = {
            "name": ctx.generated_name,
            "namespace": ctx.namespace,
            "labels": {**ctx.labels, "node-id": ctx.id.node_execution_id.node_id},
            "ownerReferences": [dict(ctx.owner)],
        }
        try:
            pod = await self._cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})
        except AlreadyExists:
            found = await self._cluster.get(POD, ctx.namespace, ctx.generated_name)
            assert found is not None
            pod = found
        if self.ends_at_once:
            await self.end(ctx.namespace, ctx.generated_name)
        await asyncio.sleep(0.005)  # the watch is faster than the reply
        return Launched(pod["metadata"]["uid"])

    async def end(self, namespace: str, name: str) -> None:
        await self._cluster.set_status(POD, namespace, name, {"phase": "Succeeded"})

    async def observe(self, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        pod = await self._cluster.get(POD, ctx.namespace, ctx.generated_name)
        if pod is None:
            return failed("Lost", kind="SYSTEM")
        if pod.get("status", {}).get("phase") != "Succeeded":
            return PhaseInfo(TaskPhase.RUNNING, 1)
        await self._store.write(f"{ctx.paths.output_prefix}/outputs.pb", b"")
        return SUCCESS

    async def delete(self, ctx: TaskContext, launched: Launched | None) -> bool:
        return not await self._cluster.delete(POD, ctx.namespace, ctx.generated_name)

    def name_limit(self, task_type: str) -> int:
        return 50

    def plugin_id(self, task_type: str) -> str:
        return "container"


class World:
    """A propeller's world, with real time."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.store = MemoryStore("s3://flyte/")
        self.admin: Any = RecordingAdmin()
        self.host: Any = PodHost(self.cluster, self.store)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Propeller]:
        ports = Ports(self.cluster, self.store, self.admin, self.host, SystemClock(), NO_RESYNC)
        propeller = Propeller(ports, lambda _: ("container", 50))
        loop = asyncio.create_task(propeller.run())
        try:
            yield propeller
            assert not loop.done(), loop.exception()
        finally:
            loop.cancel()
            await asyncio.wait([loop])

    async def create(self, name: str, nodes: dict[str, Any], **top: Any) -> None:
        manifest: Any = workflow(nodes, **top)
        manifest["metadata"] = {**manifest["metadata"], "name": name, "labels": {"execution-id": name}}
        manifest["executionId"] = {"project": "p", "domain": "d", "name": name}
        await self.cluster.create(manifest)

    async def phase(self, name: str) -> int:
        manifest = await self.cluster.get(FLYTE_WORKFLOW, "p-d", name)
        assert manifest is not None
        ended = "termination-status" in manifest["metadata"]["labels"]
        return int(manifest["status"]["phase"]) if ended else -1

    async def ended(self, name: str, *, seconds: float = 5.0) -> int:
        return await until(lambda: self.phase(name), lambda phase: phase >= 0, seconds)


async def until(look: Callable[[], Any], done: Callable[[Any], bool], seconds: float = 5.0) -> Any:
    async with asyncio.timeout(seconds):
        while not done(value := await look()):
            await asyncio.sleep(0.005)
    return value


CHAIN = {"a": task(), "b": {**task(), "after": ("a",)}, "c": {**task(), "after": ("b",)}}


async def test_watches_alone_carry_an_execution_to_its_end() -> None:
    world = World()
    async with world.running() as propeller:
        await propeller.synced.wait()
        await world.create("x", CHAIN)
        assert await world.ended("x") == 3
    assert not (await world.cluster.list(POD)).items


async def test_executions_that_were_there_before_are_taken_up() -> None:
    world = World()
    world.host.ends_at_once = False
    await world.create("x", CHAIN)
    async with world.running():
        await until(lambda: world.cluster.list(POD), lambda pods: len(pods.items) == 1)
    await world.host.end("p-d", "x-a-0")
    world.host.ends_at_once = True
    async with world.running():
        assert await world.ended("x") == 3


async def test_a_watch_that_ends_is_begun_anew() -> None:
    class Forgetful(MemoryCluster):
        async def watch(self, kind, *, namespace=None, labels="", since):
            async for event in super().watch(kind, namespace=namespace, labels=labels, since=since):
                yield event
                raise Conflict("410: too old")

    world = World()
    world.cluster = Forgetful()
    world.host = PodHost(world.cluster, world.store)
    async with world.running():
        await world.create("x", {"a": task()})
        assert await world.ended("x") == 3


class MoodyAdmin(RecordingAdmin):
    down = True

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        if self.down:
            raise Unavailable("admin is away")
        return await super().record(events)


async def test_an_outage_of_the_control_plane_delays_and_nothing_else() -> None:
    world = World()
    world.admin = MoodyAdmin()
    async with world.running():
        await world.create("x", CHAIN)
        await asyncio.sleep(0.4)
        assert not (await world.cluster.list(POD)).items, "nothing runs that the control plane has not heard of"
        world.admin.down = False
        assert await world.ended("x") == 3
    assert len(world.admin.events) == len({event.SerializeToString() for event in world.admin.events})


async def test_a_fault_in_one_execution_harms_no_other() -> None:
    class Poisoned(PodHost):
        async def launch(self, ctx: TaskContext) -> Launched | PhaseInfo:
            if ctx.generated_name.startswith("bad"):
                raise RuntimeError("a bug")
            return await super().launch(ctx)

    world = World()
    world.host = Poisoned(world.cluster, world.store)
    async with world.running():
        await world.create("bad", CHAIN)
        for number in range(5):
            await world.create(f"good{number}", CHAIN)
        assert [await world.ended(f"good{number}") for number in range(5)] == [3] * 5


async def test_a_fault_that_stays_fails_the_execution_after_ten_retries() -> None:
    driven = Driven(workflow({"a": task()}))

    async def launch(ctx: TaskContext) -> Launched:
        raise RuntimeError("a bug")

    driven.host.launch = launch  # type: ignore[method-assign]  # the fake is the thing at fault
    await driven.start()
    for _ in range(9):
        await driven.attend()
    assert driven.of("workflow") == ["RUNNING"]
    await driven.attend()
    assert driven.of("workflow") == ["RUNNING", "FAILED"]
    (error,) = driven.errors("workflow")
    assert error.code == "Workflow abort failed"
    text = "max number of system retry attempts [11/10] exhausted. Last known status message: RuntimeError: a bug"
    assert error.message == text
    assert (await driven.stored())["metadata"]["finalizers"] == []


async def test_a_deadline_needs_no_wake_up() -> None:
    world = World()
    world.host.ends_at_once = False
    async with world.running():
        await world.create("x", {"a": task(executionDeadline="150ms")})
        assert await world.ended("x") == 5


async def test_an_ended_resource_is_deleted_when_its_time_is_over() -> None:
    driven = await Driven(workflow({})).start()
    loop = asyncio.create_task(driven.propeller.run())
    await driven.clock.run_for(SETTINGS.keep_seconds - 120)
    await driven.stored()
    await driven.clock.run_for(240)
    assert await driven.cluster.get(FLYTE_WORKFLOW, "p-d", "x") is None
    loop.cancel()
    await asyncio.wait([loop])


# -- what the control plane may answer


class Refusing(RecordingAdmin):
    """Refuses events as the test says."""

    def __init__(self, refuse: Callable[[ExecutionEventRequest], Verdict | None]) -> None:
        super().__init__()
        self._refuse = refuse

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        replies: list[EventReply] = []
        for event in events:
            verdict = self._refuse(event)
            if verdict is not None:
                return [*replies, EventReply(verdict, "no")]
            replies += await super().record([event])
        return replies


async def refused(refuse: Callable[[Driven, ExecutionEventRequest], Verdict | None]) -> Driven:
    driven = Driven(workflow({"a": task()}))
    driven.admin = Refusing(lambda event: refuse(driven, event))
    driven.ports = replace(driven.ports, admin=driven.admin)
    driven.new_propeller()
    return await driven.start()


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.TERMINAL, "WorkflowStateMismatch"),
        (Verdict.FOREIGN_CLUSTER, "EventIncompatibleClusterError"),
        (Verdict.UNKNOWN_EXECUTION, "ExecutionNotFound"),
    ],
)
async def test_an_execution_that_the_control_plane_has_closed_ends_silently(verdict: Verdict, code: str) -> None:
    closed = False
    driven = await refused(lambda _driven, _event: verdict if closed else None)
    closed = True
    await driven.show("a", SUCCESS)
    stored = await driven.stored()
    assert (stored["status"]["phase"], stored["status"]["error"]["code"]) == (5, code)
    assert stored["metadata"]["finalizers"] == []
    assert driven.host.alive == set()
    assert driven.of("a") == ["QUEUED", "RUNNING"]


async def test_an_execution_that_is_not_known_yet_waits() -> None:
    known = False
    driven = await refused(lambda _driven, _event: None if known else Verdict.UNKNOWN_EXECUTION)
    assert (await driven.stored())["status"]["phase"] == 0
    known = True
    await driven.attend()
    assert driven.of("a") == ["QUEUED", "RUNNING"]


async def test_a_node_whose_event_is_refused_fails() -> None:
    def refuse(_driven: Driven, event: ExecutionEventRequest) -> Verdict | None:
        too_large = getattr(event.event, "output_uri", "").endswith("/a/data/0/outputs.pb")
        return Verdict.REJECTED if too_large else None

    driven = await refused(refuse)
    await driven.show("a", SUCCESS)
    assert driven.errors("a")[0].code == "NodeFailed"
    assert driven.of("workflow")[-1] == "FAILED"
    assert driven.host.alive == set()


async def test_an_execution_whose_every_node_event_is_refused_still_ends() -> None:
    driven = await refused(lambda _d, event: Verdict.REJECTED if hasattr(event.event, "spec_node_id") else None)
    assert driven.of("workflow")[-1] == "FAILED"
    assert (await driven.stored())["status"]["phase"] == 5


# -- wake-ups


async def test_a_key_that_is_woken_while_it_is_worked_on_comes_back() -> None:
    wakeups, key = Wakeups(), Key("n", "x")
    wakeups.wake(key)
    wakeups.wake(key)
    assert await wakeups.take() == key
    wakeups.wake(key)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wakeups.take(), 0.02)
    wakeups.done(key)
    assert await asyncio.wait_for(wakeups.take(), 1) == key


async def test_the_earliest_of_the_times_set_for_a_key_counts() -> None:
    wakeups, key = Wakeups(), Key("n", "x")
    for seconds in (60.0, 0.02, 30.0):
        wakeups.wake_later(key, seconds)
    assert await asyncio.wait_for(wakeups.take(), 1) == key
