"""Fakes of the shell's ports, for tests of the data plane and of what is built on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flyteidl.admin.event_pb2 import NodeExecutionEventRequest
from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionCreateRequest
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.node_execution_pb2 import NodeExecution, NodeExecutionGetDataResponse
from flyteidl.admin.signal_pb2 import Signal, SignalGetOrCreateRequest
from flyteidl.core.catalog_pb2 import CatalogArtifactTag, CatalogMetadata
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core import paths
from flyte_core.clock import Clock
from flyte_core.errors import AlreadyExists, FlyteError, NotFound
from flyte_core.events import ExecutionEventRequest, Verdict
from flyte_core.phases import TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_propeller.shell.catalog_keys import CacheKey
from flyte_propeller.shell.ports import CachedOutputs, EventReply, Launched

Script = Callable[[TaskContext], Sequence[PhaseInfo]]
"""Attempt → the reports of its plugin, one a look; the last one stays."""


class RecordingAdmin:
    """A control plane that takes everything once and knows repeated events by their identity.

    :ivar events: those recorded, in order
    :ivar children: executions that were created, with their requests, by name
    :ivar closures: how they are, by name; RUNNING at first
    :ivar causes: why they were terminated, by name; the fake leaves them ABORTING
    :ivar signals: by signal id
    :ivar launch_plans: by name
    """

    def __init__(self) -> None:
        self.events: list[ExecutionEventRequest] = []
        self.children: dict[str, ExecutionCreateRequest] = {}
        self.closures: dict[str, ExecutionClosure] = {}
        self.causes: dict[str, str] = {}
        self.signals: dict[str, Signal] = {}
        self.launch_plans: dict[str, LaunchPlan] = {}
        self._known: set[bytes] = set()

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        """Record all events."""
        replies = []
        for request in events:
            identity = self._identity(request)
            verdict = Verdict.ALREADY_RECORDED if identity in self._known else Verdict.RECORDED
            if verdict is Verdict.RECORDED:
                self.events.append(request)
                self._known.add(identity)
            replies.append(EventReply(verdict))
        return replies

    async def create_child(self, request: ExecutionCreateRequest) -> None:
        """Keep the request, once."""
        if request.name in self.children:
            raise AlreadyExists(f"execution {request.name} already exists")
        self.children[request.name] = request
        self.closures[request.name] = ExecutionClosure(phase=WorkflowExecution.RUNNING)

    async def get_launch_plan(self, identifier: Identifier) -> LaunchPlan | None:
        """Return the launch plan of that name."""
        return self.launch_plans.get(identifier.name)

    async def get_child(self, execution: WorkflowExecutionIdentifier) -> ExecutionClosure | None:
        """Return how the execution is."""
        known = self.closures.get(execution.name)
        if known is None:
            return None
        closure = ExecutionClosure()
        closure.CopyFrom(known)
        return closure

    async def child_outputs(self, execution: WorkflowExecutionIdentifier) -> LiteralMap:
        """Return the outputs that the closure holds itself."""
        return self.closures[execution.name].outputs.values

    async def terminate_child(self, execution: WorkflowExecutionIdentifier, cause: str) -> None:
        """Set ABORTING and keep the cause."""
        closure = self.closures.get(execution.name)
        if closure is not None and closure.phase == WorkflowExecution.RUNNING:
            self.causes[execution.name] = cause
            closure.phase = WorkflowExecution.ABORTING

    async def get_or_create_signal(self, request: SignalGetOrCreateRequest) -> Signal:
        """Return the signal; a test gives it its value."""
        return self.signals.setdefault(request.id.signal_id, Signal(id=request.id, type=request.type))

    @staticmethod
    def _identity(request: ExecutionEventRequest) -> bytes:
        event = request.event
        identity = type(event)()
        for name in ("execution_id", "id", "task_id", "parent_node_execution_id"):
            if name in event.DESCRIPTOR.fields_by_name:
                getattr(identity, name).CopyFrom(getattr(event, name))
        for name in ("retry_attempt", "phase", "phase_version"):
            if name in event.DESCRIPTOR.fields_by_name:
                setattr(identity, name, getattr(event, name))
        return bytes(identity.SerializeToString(deterministic=True)) + type(event).__name__.encode()


class ScriptedHost:
    """Runs attempts by a script; writes the outputs that a success promises.

    :ivar alive: names of attempts that exist, with their tokens
    :ivar births: names of attempts in the order in which they were created
    """

    def __init__(self, store: BlobStore, script: Script, outputs: Callable[[TaskContext], LiteralMap]) -> None:
        self._store = store
        self._script = script
        self._outputs = outputs
        self._looks: dict[str, int] = {}
        self.alive: dict[str, str] = {}
        self.births: list[str] = []

    async def launch(self, ctx: TaskContext) -> Launched | PhaseInfo:
        """Create the attempt, or find it."""
        name = ctx.generated_name
        if name not in self.alive:
            self.births.append(name)
            self.alive[name] = f"uid-{len(self.births)}"
        return Launched(self.alive[name])

    async def observe(self, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return the next report of the script."""
        reports = self._script(ctx)
        look = self._looks.get(ctx.generated_name, 0)
        self._looks[ctx.generated_name] = look + 1
        report = reports[min(look, len(reports) - 1)]
        if report.phase is TaskPhase.SUCCESS:
            data = self._outputs(ctx).SerializeToString(deterministic=True)
            await self._store.write(paths.join(ctx.paths.output_prefix, paths.OUTPUTS), data)
        return report

    async def delete(self, ctx: TaskContext, launched: Launched | None) -> bool:
        """Delete the attempt; nothing is left at once."""
        self.alive.pop(ctx.generated_name, None)
        return True

    def name_limit(self, task_type: str) -> int:
        """Return upstream's default."""
        return 50

    def plugin_id(self, task_type: str) -> str:
        """Return upstream's id for container tasks."""
        return "container"


@dataclass
class MemoryCatalog:
    """A data catalog with upstream's rules.

    :ivar fault: what every call raises, where it is set
    :ivar stored: results and what has computed them, by dataset and tag
    :ivar holders: owner and end of reservations
    """

    clock: Clock
    fault: FlyteError | None = None
    stored: dict[tuple[bytes, str], tuple[LiteralMap, TaskExecutionIdentifier]] = field(default_factory=dict)
    holders: dict[tuple[bytes, str], tuple[str, datetime]] = field(default_factory=dict)

    async def get(self, key: CacheKey) -> CachedOutputs | None:
        """Return the result, None if there is none."""
        self._fail()
        found = self.stored.get(_place(key))
        if found is None:
            return None
        metadata = _catalog_metadata(key)
        metadata.source_task_execution.CopyFrom(found[1])
        return CachedOutputs(found[0], metadata)

    async def put(
        self, key: CacheKey, outputs: LiteralMap, source: TaskExecutionIdentifier, *, overwrite: bool
    ) -> CatalogMetadata:
        """Store a result; the first one stays unless it is to be replaced."""
        self._fail()
        if overwrite or _place(key) not in self.stored:
            self.stored[_place(key)] = (outputs, source)
        return _catalog_metadata(key)

    async def reserve(self, key: CacheKey, owner: str, heartbeat: timedelta) -> bool:
        """Reserve what is free, has expired or is the owner's."""
        self._fail()
        now = self.clock.now()
        holder, until = self.holders.get(_place(key), (owner, now))
        if holder != owner and until >= now:
            return False
        self.holders[_place(key)] = (owner, now + 3 * heartbeat)
        return True

    async def release(self, key: CacheKey, owner: str) -> None:
        """Give up the owner's reservation."""
        self._fail()
        if self.holders.get(_place(key), ("",))[0] == owner:
            del self.holders[_place(key)]

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


def _place(key: CacheKey) -> tuple[bytes, str]:
    return key.dataset.SerializeToString(deterministic=True), key.tag


def _catalog_metadata(key: CacheKey) -> CatalogMetadata:
    tag = CatalogArtifactTag(artifact_id=f"artifact of {key.tag}", name=key.tag)
    metadata = CatalogMetadata(artifact_tag=tag)
    for part in ("project", "domain", "name", "version"):
        setattr(metadata.dataset_id, part, getattr(key.dataset, part))
    return metadata


class PastOf:
    """The past as a control plane has it that was told of these events.

    :ivar nodes: by names of execution and node
    """

    def __init__(self, events: Sequence[ExecutionEventRequest]) -> None:
        self.nodes: dict[tuple[str, str], NodeExecution] = {}
        for request in events:
            if isinstance(request, NodeExecutionEventRequest):
                self.take(request)

    def take(self, request: NodeExecutionEventRequest) -> None:
        """Take one more event."""
        event = request.event
        key = (event.id.execution_id.name, event.id.node_id)
        record = self.nodes.setdefault(key, NodeExecution(id=event.id))
        record.closure.phase = event.phase
        record.closure.deck_uri = event.deck_uri
        record.input_uri = event.input_uri
        record.metadata.is_dynamic |= event.is_dynamic
        if event.output_uri:
            record.closure.output_uri = event.output_uri
        if event.HasField("task_node_metadata"):
            kept = record.closure.task_node_metadata
            kept.cache_status = event.task_node_metadata.cache_status
            kept.checkpoint_uri = event.task_node_metadata.checkpoint_uri
            kept.catalog_key.CopyFrom(event.task_node_metadata.catalog_key)

    async def node(self, identifier: NodeExecutionIdentifier) -> NodeExecution | None:
        """Return the node, None if there was no event of it."""
        return self.nodes.get((identifier.execution_id.name, identifier.node_id))

    async def node_data(self, identifier: NodeExecutionIdentifier) -> NodeExecutionGetDataResponse:
        """Return nothing: the data is where the node's record says."""
        if await self.node(identifier) is None:
            raise NotFound(f"there is no node {identifier.node_id}")
        return NodeExecutionGetDataResponse()
