"""A propeller as a process that can die or be paused at any call of a port, and the ports as it sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionCreateRequest
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.node_execution_pb2 import NodeExecution, NodeExecutionGetDataResponse
from flyteidl.admin.signal_pb2 import Signal, SignalGetOrCreateRequest
from flyteidl.core.catalog_pb2 import CatalogMetadata
from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.cluster import Kind, Listing, Manifest, WatchEvent
from flyte_core.errors import Unavailable
from flyte_core.events import ExecutionEventRequest
from flyte_core.storage import BlobInfo
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_propeller.operator import Propeller
from flyte_propeller.shell.catalog_keys import CacheKey
from flyte_propeller.shell.ports import CachedOutputs, EventReply, Launched
from flyte_propeller.shell.round import Ports
from flyte_propeller.wakeups import Key

if TYPE_CHECKING:
    from simulator.world import World

T = TypeVar("T")
NEVER = 10**9
CALL = 0.02
"""Seconds that a call of the control plane takes: nobody tries again in the same moment."""
AT_ONCE = {"launch", "create_child"}
"""Calls before which a process is not paused: the time between the proof that a state is the stored one and the
creation that it intends is bounded by the lease of a leader, which this world does not model. Dying there it can."""


class Crash(BaseException):
    """The process has died; nothing of it runs on."""


class Process:
    """One propeller.

    :ivar crash_at: the call of a port at which it dies; before the call's effect, or after it
    :ivar crash_on: the name of the calls at the first of which it dies
    :ivar pause_at: the call of a port before which it is paused
    """

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.dead = False
        self.calls = 0
        self.crash_at = NEVER
        self.crash_on = ""
        self.crash_after = False
        self.pause_at = NEVER
        self.gate: asyncio.Future[None] | None = None
        self.busy: dict[Key, asyncio.Task[None]] = {}
        self._world = world
        ports = Ports(
            _Cluster(self),  # type: ignore[arg-type]  # only what a round needs of it
            _Store(self),  # type: ignore[arg-type]
            _Admin(self),
            _Host(self),
            world.clock,
            world.settings,
            catalog=_Catalog(self),
            past=_Past(self),
        )
        self.propeller = Propeller(ports, lambda _: ("simulated", 50))

    async def call(self, port: str, name: str, detail: str, effect: Callable[[], Awaitable[T]]) -> T:
        """Make one call of a port, with what may go wrong around it."""
        self._check()
        self.calls += 1
        if self.calls >= self.pause_at and name not in AT_ONCE:
            self.pause_at = NEVER
            self.gate = asyncio.get_running_loop().create_future()
            await self.gate
            self._check()
        crashes = self.calls == self.crash_at or name == self.crash_on
        if crashes and not self.crash_after:
            self._die(name, "before")
        world = self._world
        if port in world.down or world.loses_request():
            world.failed.add(port)
            raise Unavailable(f"{port} is down")
        lost = world.loses_reply()
        world.note(f"{self.name} {name} {detail}{' (reply lost)' if lost else ''}")
        result = await effect()
        if crashes:
            self._die(name, "after")
        if lost:
            world.failed.add(port)
            raise Unavailable(f"{port}: no reply in time")
        return result

    def deliver_late(self, events: Sequence[ExecutionEventRequest]) -> bool:
        """Return True when this request is not answered, and arrives some time later."""
        return self._world.delays(events)

    @property
    def world(self) -> World:
        """The world it lives in."""
        return self._world

    def _check(self) -> None:
        if self.dead:
            raise Crash

    def _die(self, name: str, when: str) -> None:
        self.dead = True
        self._world.note(f"{self.name} dies {when} {name}")
        self._world.boundaries.add((name, when))
        raise Crash


class _Cluster:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        cluster = self._process.world.cluster
        return await self._process.call("cluster", "get", name, lambda: cluster.get(kind, namespace, name))

    async def replace(self, manifest: Manifest) -> Manifest:
        world = self._process.world
        status, name = manifest["status"], manifest["metadata"]["name"]
        return await self._process.call(
            "cluster", "replace", f"{name} {status['phase']}", lambda: world.store_state(manifest)
        )

    async def list(self, kind: Kind, *, namespace: str | None = None, labels: str = "") -> Listing:
        cluster = self._process.world.cluster
        return await self._process.call(
            "cluster", "list", labels, lambda: cluster.list(kind, namespace=namespace, labels=labels)
        )

    def watch(self, kind: Kind, **_: Any) -> AsyncIterator[WatchEvent]:
        raise NotImplementedError("the world wakes its processes itself")


class _Store:
    def __init__(self, process: Process) -> None:
        self._process = process

    def owns(self, uri: str) -> bool:
        return self._process.world.store.owns(uri)

    async def read(self, uri: str, *, limit: int | None = None) -> bytes:
        store = self._process.world.store
        return await self._process.call("store", "read", uri, lambda: store.read(uri, limit=limit))

    async def write(self, uri: str, data: bytes, *, metadata: dict[str, str] | None = None) -> None:
        store = self._process.world.store
        await self._process.call("store", "write", uri, lambda: store.write(uri, data))

    async def stat(self, uri: str) -> BlobInfo | None:
        store = self._process.world.store
        return await self._process.call("store", "stat", uri, lambda: store.stat(uri))

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        async for blob in self._process.world.store.list(prefix):
            yield blob

    async def delete(self, uri: str) -> None:
        store = self._process.world.store
        await self._process.call("store", "delete", uri, lambda: store.delete(uri))


class _Admin:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        process = self._process
        admin = process.world.admin

        async def take() -> Sequence[EventReply]:
            process.world.clock.advance(CALL)
            if process.deliver_late(events):
                raise Unavailable("admin: no reply in time")
            return admin.record(events)

        return await process.call("admin", "record", str(len(events)), take)

    async def create_child(self, request: ExecutionCreateRequest) -> None:
        children = self._process.world.children

        async def take() -> None:
            children.create(request)

        await self._process.call("admin", "create_child", request.name, take)

    async def get_child(self, execution: WorkflowExecutionIdentifier) -> ExecutionClosure | None:
        children = self._process.world.children

        async def take() -> ExecutionClosure | None:
            return children.get(execution)

        return await self._process.call("admin", "get_child", execution.name, take)

    async def child_outputs(self, execution: WorkflowExecutionIdentifier) -> LiteralMap:
        raise NotImplementedError("the closures of this world hold the outputs")

    async def terminate_child(self, execution: WorkflowExecutionIdentifier, cause: str) -> None:
        children = self._process.world.children

        async def take() -> None:
            children.terminate(execution)

        await self._process.call("admin", "terminate_child", execution.name, take)

    async def get_launch_plan(self, identifier: Identifier) -> LaunchPlan | None:
        raise NotImplementedError("the dynamic tasks of this world start no launch plans")

    async def get_or_create_signal(self, request: SignalGetOrCreateRequest) -> Signal:
        children = self._process.world.children

        async def take() -> Signal:
            return children.signal(request)

        return await self._process.call("admin", "get_or_create_signal", request.id.signal_id, take)


class _Past:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def node(self, identifier: NodeExecutionIdentifier) -> NodeExecution | None:
        past = self._process.world.admin.past
        return await self._process.call("admin", "past", identifier.node_id, lambda: past.node(identifier))

    async def node_data(self, identifier: NodeExecutionIdentifier) -> NodeExecutionGetDataResponse:
        past = self._process.world.admin.past
        return await self._process.call("admin", "past", identifier.node_id, lambda: past.node_data(identifier))


class _Catalog:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def get(self, key: CacheKey) -> CachedOutputs | None:
        catalog = self._process.world.catalog
        return await self._process.call("catalog", "get_result", key.tag, lambda: catalog.get(key))

    async def put(
        self, key: CacheKey, outputs: LiteralMap, source: TaskExecutionIdentifier, *, overwrite: bool
    ) -> CatalogMetadata:
        catalog = self._process.world.catalog
        return await self._process.call(
            "catalog", "put_result", key.tag, lambda: catalog.put(key, outputs, source, overwrite=overwrite)
        )

    async def reserve(self, key: CacheKey, owner: str, heartbeat: timedelta) -> bool:
        world = self._process.world
        return await self._process.call("catalog", "reserve", owner, lambda: world.reserve(key, owner, heartbeat))

    async def release(self, key: CacheKey, owner: str) -> None:
        catalog = self._process.world.catalog
        await self._process.call("catalog", "release", owner, lambda: catalog.release(key, owner))


class _Host:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def launch(self, ctx: TaskContext) -> Launched | PhaseInfo:
        world = self._process.world

        return await self._process.call("host", "launch", ctx.generated_name, lambda: world.launch(ctx))

    async def observe(self, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        pods = self._process.world.pods
        return await self._process.call("host", "observe", ctx.generated_name, lambda: pods.observe(ctx, launched))

    async def delete(self, ctx: TaskContext, launched: Launched | None) -> bool:
        pods = self._process.world.pods

        async def take() -> bool:
            return pods.delete(ctx, launched)

        return await self._process.call("host", "delete", ctx.generated_name, take)

    def name_limit(self, task_type: str) -> int:
        return 50

    def plugin_id(self, task_type: str) -> str:
        return "simulated"
