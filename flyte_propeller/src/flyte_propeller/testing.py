"""Fakes of the shell's ports, for tests of the data plane and of what is built on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core import paths
from flyte_core.events import ExecutionEventRequest, Verdict
from flyte_core.phases import TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_propeller.shell.ports import EventReply, Launched

Script = Callable[[TaskContext], Sequence[PhaseInfo]]
"""Attempt → the reports of its plugin, one a look; the last one stays."""


class RecordingAdmin:
    """A control plane that takes everything once and knows repeated events by their identity."""

    def __init__(self) -> None:
        self.events: list[ExecutionEventRequest] = []
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
