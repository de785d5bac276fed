"""Drives one execution through the real machine and shell, each report of an attempt chosen by the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flyteidl.admin.event_pb2 import TaskExecutionEventRequest, WorkflowExecutionEventRequest
from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.execution_pb2 import ExecutionError, NodeExecution, TaskExecution, WorkflowExecution
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar

from flyte_core import paths
from flyte_core.cluster import FLYTE_WORKFLOW, Manifest
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_core.testing.fakes import ManualClock, MemoryCluster, MemoryStore
from flyte_propeller.operator import Propeller
from flyte_propeller.settings import PropellerSettings
from flyte_propeller.shell.ports import Launched
from flyte_propeller.shell.round import Ports
from flyte_propeller.testing import RecordingAdmin
from flyte_propeller.wakeups import Key

DATA = "s3://flyte/metadata/propeller"
SETTINGS = PropellerSettings(DATA, "s3://flyte/data")
RUNNING = PhaseInfo(TaskPhase.RUNNING, 1)
SUCCESS = PhaseInfo(TaskPhase.SUCCESS)


def integer(value: int) -> Literal:
    """Return an INTEGER literal."""
    return Literal(scalar=Scalar(primitive=Primitive(integer=value)))


def failed(code: str = "boom", message: str = "it broke", *, kind: str = "USER", retryable: bool = True) -> PhaseInfo:
    """Return the report of a failure."""
    phase = TaskPhase.RETRYABLE_FAILURE if retryable else TaskPhase.PERMANENT_FAILURE
    return PhaseInfo(phase, error=ExecutionError(code=code, message=message, kind=ExecutionError.ErrorKind.Value(kind)))


def task(*after: str, **fields: Any) -> dict[str, Any]:
    """Return a task node that waits for these nodes; it takes the output ``o`` of each."""
    bindings = [
        {"var": f"i{n}", "binding": {"promise": {"nodeId": before, "var": "o"}}} for n, before in enumerate(after)
    ]
    return {"kind": "task", "task": "t", "after": after, "inputBindings": bindings, **fields}


def workflow(nodes: Mapping[str, dict[str, Any]], *, failure: dict[str, Any] | None = None, **top: Any) -> Manifest:
    """Return a FlyteWorkflow of task nodes.

    :param top: fields of the manifest to be added or replaced; ``policy`` and ``outputs`` are shorter forms
    """
    policy, outputs = top.pop("policy", "FAIL_IMMEDIATELY"), top.pop("outputs", [])
    template = {
        "id": {"resourceType": "TASK", "project": "p", "domain": "d", "name": "t", "version": "v"},
        "type": "python-task",
        "interface": {"outputs": {"variables": {"o": {"type": {"simple": "INTEGER"}}}}},
    }
    specs: dict[str, Any] = {"start-node": {"id": "start-node", "kind": "start"}}
    upstream: dict[str, list[str]] = {}
    for node_id, node in nodes.items():
        after = node.get("after") or ()
        specs[node_id] = {"id": node_id, "name": node_id, **{k: v for k, v in node.items() if k != "after"}}
        upstream[node_id] = list(after) or ["start-node"]
    inner = {before for after in upstream.values() for before in after}
    specs["end-node"] = {"id": "end-node", "kind": "end", "inputBindings": outputs}
    upstream["end-node"] = [node_id for node_id in nodes if node_id not in inner] or ["start-node"]
    downstream: dict[str, list[str]] = {}
    for node_id, after in upstream.items():
        for before in after:
            downstream.setdefault(before, []).append(node_id)
    spec: dict[str, Any] = {
        "id": "p:d:w",
        "nodes": specs,
        "edges": {"upstream": upstream, "downstream": downstream},
        "onFailurePolicy": policy,
        "outputBindings": outputs,
    }
    if failure is not None:
        spec["onFailure"] = {"id": "fn0", "name": "fn0", **{k: v for k, v in failure.items() if k != "after"}}
    return {
        "apiVersion": "flyte.lyft.com/v1alpha1",
        "kind": "FlyteWorkflow",
        "metadata": {
            "name": "x",
            "namespace": "p-d",
            "labels": {"execution-id": "x"},
            "finalizers": ["flyte.org/finalizer"],
        },
        "spec": spec,
        "inputs": {"literals": {}},
        "executionId": {"project": "p", "domain": "d", "name": "x"},
        "executionConfig": {},
        "tasks": {"t": template},
        "status": {"phase": 0},
        **top,
    }


class Attempts:
    """A :class:`flyte_propeller.shell.ports.TaskHost` of which the test says what each attempt shows.

    :ivar shown: what attempts show, by generated name
    :ivar refused: what launching gives instead of an attempt, by generated name
    :ivar contexts: of attempts launched, by generated name, in order
    :ivar alive: attempts that are there
    :ivar futures: what attempts leave in place of outputs, by generated name; bytes are left as they are
    :ivar lingering: nodes whose attempts stay when they are deleted
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.shown: dict[str, PhaseInfo] = {}
        self.refused: dict[str, PhaseInfo] = {}
        self.contexts: dict[str, TaskContext] = {}
        self.alive: set[str] = set()
        self.lingering: set[str] = set()
        self.outputs: dict[str, LiteralMap] = {}
        self.futures: dict[str, DynamicJobSpec | bytes] = {}

    async def launch(self, ctx: TaskContext) -> Launched | PhaseInfo:
        """Launch the attempt, or refuse as the test says."""
        self.contexts[ctx.generated_name] = ctx
        if ctx.generated_name in self.refused:
            return self.refused[ctx.generated_name]
        self.alive.add(ctx.generated_name)
        return Launched(f"uid-{ctx.generated_name}")

    async def observe(self, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return what the test says; a success has outputs."""
        info = self.shown.get(ctx.generated_name, PhaseInfo(TaskPhase.QUEUED))
        if info.phase is TaskPhase.SUCCESS and ctx.generated_name in self.futures:
            left = self.futures[ctx.generated_name]
            data = left if isinstance(left, bytes) else left.SerializeToString(deterministic=True)
            await self._store.write(paths.join(ctx.paths.output_prefix, paths.FUTURES), data)
            return replace(info, has_futures=True)
        if info.phase is TaskPhase.SUCCESS:
            ones = {name: integer(1) for name in ctx.template.interface.outputs.variables}
            outputs = self.outputs.get(ctx.id.node_execution_id.node_id, LiteralMap(literals=ones))
            uri = paths.join(ctx.paths.output_prefix, paths.OUTPUTS)
            await self._store.write(uri, outputs.SerializeToString(deterministic=True))
        return info

    async def delete(self, ctx: TaskContext, launched: Launched | None) -> bool:
        """Delete the attempt."""
        if ctx.id.node_execution_id.node_id in self.lingering:
            return False
        self.alive.discard(ctx.generated_name)
        return True

    def name_limit(self, task_type: str) -> int:
        """Return upstream's default."""
        return 50

    def plugin_id(self, task_type: str) -> str:
        """Return upstream's id for container tasks."""
        return "container"


class Driven:
    """One execution under way."""

    def __init__(self, manifest: Manifest, *, settings: PropellerSettings = SETTINGS) -> None:
        self.manifest = manifest
        self.key = Key(manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        self.clock = ManualClock()
        self.store = MemoryStore("s3://flyte/", clock=self.clock)
        self.cluster = MemoryCluster(clock=self.clock)
        self.admin = RecordingAdmin()
        self.host = Attempts(self.store)
        self.ports = Ports(self.cluster, self.store, self.admin, self.host, self.clock, settings)
        self.propeller = self.new_propeller()

    def new_propeller(self) -> Propeller:
        """Return one that knows nothing, as after a restart."""
        self.propeller = Propeller(self.ports, lambda _: ("container", 50))
        return self.propeller

    def use_admin(self, admin: RecordingAdmin) -> None:
        """Have another control plane, before the execution starts."""
        self.admin = admin
        self.ports = replace(self.ports, admin=admin)
        self.new_propeller()

    async def start(self) -> Driven:
        """Create the FlyteWorkflow and do what follows."""
        await self.cluster.create(self.manifest)
        await self.attend()
        return self

    async def attend(self) -> None:
        """Run rounds until there is nothing to do."""
        await self.propeller.attend(self.key)

    async def show(self, node: str, info: PhaseInfo, attempt: int = 0) -> None:
        """Let the attempt show this, and wake the execution."""
        self.host.shown[f"{self.key.name}-{node}-{attempt}"] = info
        self.wake(node)
        await self.attend()

    def wake(self, node: str) -> None:
        """Say that something of this node has changed."""
        owner = {"kind": "FlyteWorkflow", "name": self.key.name, "controller": True}
        metadata = {"namespace": self.key.namespace, "labels": {"node-id": node}, "ownerReferences": [owner]}
        self.propeller.resource_changed({"metadata": metadata})

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and look."""
        self.clock.advance(seconds)
        await self.attend()

    async def make(self, node: str, spec: DynamicJobSpec | bytes, attempt: int = 0) -> None:
        """Let the attempt end with this in place of outputs."""
        self.host.futures[f"{self.key.name}-{node}-{attempt}"] = spec
        await self.show(node, SUCCESS, attempt)

    async def abort(self) -> None:
        """Delete the FlyteWorkflow, as the control plane does to terminate an execution."""
        await self.cluster.delete(FLYTE_WORKFLOW, self.key.namespace, self.key.name)
        await self.attend()

    async def stored(self) -> Manifest:
        """Return the FlyteWorkflow as it is stored."""
        manifest = await self.cluster.get(FLYTE_WORKFLOW, self.key.namespace, self.key.name)
        assert manifest is not None
        return manifest

    async def exists(self) -> bool:
        """Return whether there is still a FlyteWorkflow."""
        return await self.cluster.get(FLYTE_WORKFLOW, self.key.namespace, self.key.name) is not None

    async def read(self, path: str) -> LiteralMap:
        """Return the literals at this path of the execution's folder."""
        return LiteralMap.FromString(await self.store.read(f"{DATA}/{self.key.namespace}-{self.key.name}/{path}"))

    @property
    def lines(self) -> list[str]:
        """Return the recorded events, one line each: ``workflow RUNNING``, ``n0 QUEUED``, ``n0/0 RUNNING``."""
        return [line(request.event, request) for request in self.admin.events]

    def of(self, subject: str) -> list[str]:
        """Return the phases of a workflow (``workflow``), node or attempt, in order."""
        return [phase for name, phase in (text.split(" ", 1) for text in self.lines) if name == subject]

    def errors(self, subject: str) -> list[ExecutionError]:
        """Return the errors in the events about this."""
        about = [
            request.event for request in self.admin.events if line(request.event, request).startswith(f"{subject} ")
        ]
        return [event.error for event in about if event.HasField("error")]


def line(event: Any, request: Any) -> str:
    """Return an event as one line."""
    if isinstance(request, WorkflowExecutionEventRequest):
        return f"workflow {WorkflowExecution.Phase.Name(event.phase)}"
    if isinstance(request, TaskExecutionEventRequest):
        name = f"{event.parent_node_execution_id.node_id}/{event.retry_attempt}"
        return f"{name} {TaskExecution.Phase.Name(event.phase)}"
    return f"{event.id.node_id} {NodeExecution.Phase.Name(event.phase)}"
