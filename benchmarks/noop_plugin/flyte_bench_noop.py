"""Task types without work: one ends at once, so that what is left is the engine's own cost; one never ends."""

from __future__ import annotations

from collections.abc import Sequence

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.hookspecs import PluginContext, hookimpl
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, RemoteJob, TaskContext, TaskType


class Noop:
    """Gives its inputs back as its outputs."""

    plugin_id = "noop"
    task_types: Sequence[str] = ("noop",)
    name_limit = 50

    async def run(self, ctx: TaskContext) -> LiteralMap:
        """Return output ``o0``, which is input ``x``."""
        return LiteralMap(literals={"o0": ctx.inputs.literals["x"]})


class Never:
    """A remote job that runs until it is deleted."""

    plugin_id = "never"
    task_types: Sequence[str] = ("never",)
    name_limit = 50

    async def create(self, ctx: TaskContext, *, token: str) -> RemoteJob:
        """Return the token as the job."""
        return RemoteJob(token.encode())

    async def get(self, ctx: TaskContext, job: RemoteJob) -> PhaseInfo:
        """Return RUNNING."""
        return PhaseInfo(TaskPhase.RUNNING)

    async def delete(self, ctx: TaskContext, job: RemoteJob) -> bool:
        """Nothing is left at once."""
        return True


@hookimpl
def flyte_task_types(ctx: PluginContext) -> Sequence[TaskType]:
    """Offer both types."""
    return [Noop(), Never()]
