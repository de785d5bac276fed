"""What the shell needs of the world. Each port has the production adapter and a shipped fake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

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

from flyte_core.events import ExecutionEventRequest, Verdict
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_propeller.graph_reader import PluginOf
from flyte_propeller.shell.catalog_keys import CacheKey


@dataclass(frozen=True, slots=True)
class EventReply:
    """The verdict on one event, with the control plane's message."""

    verdict: Verdict
    message: str = ""


class AdminEvents(Protocol):
    """The control plane, as far as the data plane reports to it."""

    async def record(self, events: Sequence[ExecutionEventRequest]) -> Sequence[EventReply]:
        """Report events in this order and return one reply each.

        Stops after the first reply that is neither RECORDED nor ALREADY_RECORDED (replies are then fewer than events).

        :raises flyte_core.errors.Unavailable: if the control plane does not answer; none or some were recorded, and
            sending all of them again is harmless
        """
        ...


class ChildExecutions(Protocol):
    """The executions that launch plan nodes start, in the control plane."""

    async def create_child(self, request: ExecutionCreateRequest) -> None:
        """Have an execution created under the name in the request.

        :raises flyte_core.errors.AlreadyExists: if there is one of that name, or the launch plan's concurrency limit is
            reached (upstream answers both alike)
        :raises flyte_core.errors.UserError: if the control plane refuses it, for good
        :raises flyte_core.errors.Unavailable: if it does not answer; the execution may be there
        """
        ...

    async def get_child(self, execution: WorkflowExecutionIdentifier) -> ExecutionClosure | None:
        """Return what is known of the execution, its error in full; None if there is none of that name.

        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        ...

    async def child_outputs(self, execution: WorkflowExecutionIdentifier) -> LiteralMap:
        """Return the outputs of an execution that has succeeded, where they are not in a store that is at hand.

        :raises flyte_core.errors.UserError: if they are too large to be returned
        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        ...

    async def terminate_child(self, execution: WorkflowExecutionIdentifier, cause: str) -> None:
        """Ask for the end of the execution; one that has ended, or is not there, stays as it is.

        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        ...


class Signals(Protocol):
    """The signals that gate nodes wait for, in the control plane."""

    async def get_or_create_signal(self, request: SignalGetOrCreateRequest) -> Signal:
        """Return the signal; it has a value once somebody has set it.

        :raises flyte_core.errors.UserError: if the control plane refuses it, for good
        :raises flyte_core.errors.Unavailable: if it does not answer
        """
        ...


class LaunchPlans(Protocol):
    """The launch plans that are registered in the control plane: dynamic tasks may name any."""

    async def get_launch_plan(self, identifier: Identifier) -> LaunchPlan | None:
        """Return the launch plan, None if there is none of that identifier.

        :raises flyte_core.errors.UserError: if the control plane refuses the identifier, for good
        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        ...


class ControlPlane(AdminEvents, ChildExecutions, Signals, LaunchPlans, Protocol):
    """The control plane, as the data plane sees it."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A task attempt that exists outside.

    :ivar token: what identifies this incarnation: the object's uid, the job's opaque handle in base64, or the name of
        an execution or signal
    """

    token: str


class TaskHost(Protocol):
    """Runs attempts of tasks through plugins. Every method may be repeated; names and tokens are deterministic.

    A plugin's fault never raises here: it comes back as a failure PhaseInfo that names the plugin.
    """

    async def launch(self, ctx: TaskContext) -> Launched | PhaseInfo:
        """Create the attempt's resource or job, or find it when it exists already.

        :return: a PhaseInfo when it cannot be launched (permanent or retryable failure, waiting for resources)
        :raises flyte_core.errors.Unavailable: if the cluster or backend does not answer
        """
        ...

    async def observe(self, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return the phase of the attempt now. A SUCCESS here means that outputs were read and are complete; an
        ``error.pb`` has become the failure; a resource that vanished is a SYSTEM failure.

        :raises flyte_core.errors.Unavailable: if the cluster, backend or store does not answer
        """
        ...

    async def delete(self, ctx: TaskContext, launched: Launched | None) -> bool:
        """Ask for the end of the attempt's resource or job; True once nothing of it is left.

        :raises flyte_core.errors.Unavailable: if the cluster or backend does not answer
        """
        ...

    def name_limit(self, task_type: str) -> int:
        """Return how long a generated name may be for this task type (50 where no plugin serves it)."""
        ...

    def plugin_id(self, task_type: str) -> str:
        """Return the id of the plugin which serves the type, for events; empty where none does."""
        ...


def plugins_of(host: TaskHost) -> PluginOf:
    """Return what the graph's reader asks of a host: plugin id and name limit of a task type."""
    return lambda task_type: (host.plugin_id(task_type), host.name_limit(task_type))


class PastExecutions(Protocol):
    """The control plane, as far as a recovery reads from it what an earlier execution has done."""

    async def node(self, identifier: NodeExecutionIdentifier) -> NodeExecution | None:
        """Return what is known of a node, None if the control plane knows none of that id.

        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        ...

    async def node_data(self, identifier: NodeExecutionIdentifier) -> NodeExecutionGetDataResponse:
        """Return inputs and outputs of a node, and the workflow of a dynamic one.

        :raises flyte_core.errors.NotFound: if the control plane knows none of that id
        :raises flyte_core.errors.Unavailable: if the control plane does not answer
        """
        ...


@dataclass(frozen=True, slots=True)
class CachedOutputs:
    """A result from the catalog.

    :ivar metadata: where it lies, and what has computed it
    """

    outputs: LiteralMap
    metadata: CatalogMetadata


class Catalog(Protocol):
    """The data catalog. Every method may be repeated.

    Any :class:`flyte_core.errors.FlyteError` means that it cannot be used now: the task runs without it. An answer
    takes a bounded time.
    """

    async def get(self, key: CacheKey) -> CachedOutputs | None:
        """Return the result, None if there is none."""
        ...

    async def put(
        self, key: CacheKey, outputs: LiteralMap, source: TaskExecutionIdentifier, *, overwrite: bool
    ) -> CatalogMetadata:
        """Store a result. Where there is one already it stays, or is replaced with ``overwrite``."""
        ...

    async def reserve(self, key: CacheKey, owner: str, heartbeat: timedelta) -> bool:
        """Reserve the computing of a result, or extend the reservation. False where it is somebody else's.

        :param heartbeat: a reservation that is not extended for a few times as long is anybody's
        """
        ...

    async def release(self, key: CacheKey, owner: str) -> None:
        """Give the reservation up; nothing happens where it is not this owner's."""
        ...
