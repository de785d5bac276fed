"""What the shell needs of the world. Each port has the production adapter and a shipped fake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flyte_core.events import ExecutionEventRequest, Verdict
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_propeller.graph_reader import PluginOf


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


@dataclass(frozen=True, slots=True)
class Launched:
    """A task attempt that exists outside.

    :ivar token: what identifies this incarnation: the object's uid, or the job's opaque handle in base64
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
