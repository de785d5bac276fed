"""Port of task types: what a plugin implements to run a kind of task, in one of three shapes.

The shapes are upstream's: a *resource* in the cluster (pods, SparkApplications), a *remote job* behind somebody's
API (Batch, Hive, Snowflake), and *inline* work that is over at once. Plugins never see the workflow, the database
or the event loop's other work; they get one :class:`TaskContext` and answer with a :class:`PhaseInfo`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from flyteidl.core.execution_pb2 import ExecutionError, TaskLog
from flyteidl.core.identifier_pb2 import TaskExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.security_pb2 import SecurityContext
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.event.event_pb2 import ExternalResourceInfo

from flyte_core.cluster import Kind, Manifest
from flyte_core.phases import TaskPhase


@dataclass(frozen=True, slots=True)
class PhaseInfo:
    """What a plugin reports of one attempt; a value, compared with ``==``.

    :ivar version: counts reports within one phase; a report whose (phase, version) was seen is not sent again
    :ivar reason: one line for people
    :ivar error: set if and only if the phase is a failure; its kind (USER or SYSTEM) chooses the retry budget
    :ivar occurred_at: when the backend says it happened; None: when it was observed
    :ivar custom_info: JSON-like, shown by the console
    :ivar has_futures: of a success: the attempt left a job specification and no outputs, so that its node is a dynamic
        one; found by the platform where it reads the outcome, never reported by a plugin
    """

    phase: TaskPhase
    version: int = 0
    reason: str = ""
    error: ExecutionError | None = None
    logs: tuple[TaskLog, ...] = ()
    occurred_at: datetime | None = None
    custom_info: Mapping[str, Any] | None = None
    external_resources: tuple[ExternalResourceInfo, ...] = ()
    has_futures: bool = False


@dataclass(frozen=True, slots=True)
class TaskPaths:
    """Where one attempt reads and writes; all are URIs.

    :ivar inputs: of ``inputs.pb``
    :ivar output_prefix: folder for ``outputs.pb``, ``error.pb``, ``futures.pb``, ``deck.html``
    :ivar raw_output_prefix: folder for what the task uploads itself
    :ivar checkpoint_prefix: folder for this attempt's checkpoint
    :ivar previous_checkpoint_prefix: of the attempt before; empty on the first
    """

    inputs: str
    output_prefix: str
    raw_output_prefix: str
    checkpoint_prefix: str
    previous_checkpoint_prefix: str = ""


@dataclass(frozen=True, slots=True)
class PlatformResources:
    """The platform's default requests and its limits, as Kubernetes quantities by Kubernetes name (``cpu``)."""

    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Everything a plugin may know of one attempt. Frozen: plugins get no way back into the machine.

    :ivar id: the task execution: task, node execution (with the *unique* node id), attempt counted from 0
    :ivar generated_name: deterministic name of the attempt, at most the plugin's ``name_limit`` characters, DNS-safe
    :ivar namespace: Kubernetes namespace of the execution
    :ivar workflow_id: ``project:domain:name``
    :ivar owner: the FlyteWorkflow as an ownerReference
    :ivar labels: of the execution, to be put on every resource
    :ivar env: environment for user code, beside what the template asks for
    :ivar overrides: the node's resource override (Kubernetes ResourceRequirements), empty when there is none
    :ivar container_image: the node's image override, empty when there is none
    :ivar inputs: resolved inputs; for ``{{.inputs.x}}`` templates only
    :ivar config: the plugin's own section of the configuration, checked against its schema
    :ivar spec_node_id: the node's id within its own graph, for labels; empty where it equals the unique one
    :ivar now: when the plugin is asked, in UTC; hooks read no clock themselves
    """

    id: TaskExecutionIdentifier
    template: TaskTemplate
    generated_name: str
    namespace: str
    workflow_id: str
    paths: TaskPaths
    owner: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    interruptible: bool = False
    security: SecurityContext = field(default_factory=SecurityContext)
    platform_resources: PlatformResources = field(default_factory=PlatformResources)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    extended_resources: bytes = b""
    container_image: str = ""
    pod_template: Mapping[str, Any] = field(default_factory=dict)
    inputs: LiteralMap = field(default_factory=LiteralMap)
    config: Mapping[str, Any] = field(default_factory=dict)
    console_url: str = ""
    spec_node_id: str = ""
    now: datetime | None = None


@runtime_checkable
class ResourceTaskType(Protocol):
    """A task type whose work is an object in the cluster. Both methods are pure: no I/O, no clock, no state."""

    plugin_id: str
    """Name in events and configuration (upstream's plugin id: ``container``, ``spark``)."""
    task_types: Sequence[str]
    """The ``TaskTemplate.type`` values served."""
    kind: Kind
    """Kind of the object that is watched."""
    name_limit: int
    """Longest generated name that the backend takes, ≥ 8; upstream's default is 50."""

    def build(self, ctx: TaskContext) -> Manifest:
        """Return the object to create; the caller adds name, namespace, owner, labels and annotations.

        :raises flyte_core.errors.InvalidInput: if the template cannot be run: a permanent user failure
        """
        ...

    def observe(self, ctx: TaskContext, resource: Manifest) -> PhaseInfo:
        """Return the phase that this object shows. SUCCESS means that the process ended well; the caller then reads
        outputs and errors.
        """
        ...


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """What the platform keeps of a job: opaque to it, at most 10 KiB, stored before the next call."""

    meta: bytes


@runtime_checkable
class RemoteJobTaskType(Protocol):
    """A task type whose work is a job behind an API. Calls may be repeated: ``create`` carries a token."""

    plugin_id: str
    task_types: Sequence[str]
    name_limit: int

    async def create(self, ctx: TaskContext, *, token: str) -> RemoteJob:
        """Start the job, or find the one that this token started."""
        ...

    async def get(self, ctx: TaskContext, job: RemoteJob) -> PhaseInfo:
        """Return the phase of the job now."""
        ...

    async def delete(self, ctx: TaskContext, job: RemoteJob) -> bool:
        """Ask the backend to end the job; return True once it says that nothing of it is left."""
        ...


@runtime_checkable
class InlineTaskType(Protocol):
    """A task type whose work is over within one call, without user code."""

    plugin_id: str
    task_types: Sequence[str]
    name_limit: int

    async def run(self, ctx: TaskContext) -> LiteralMap:
        """Return the outputs.

        :raises flyte_core.errors.UserError: a permanent failure
        :raises flyte_core.errors.SystemFault: a failure that is tried again
        """
        ...


TaskType = ResourceTaskType | RemoteJobTaskType | InlineTaskType
