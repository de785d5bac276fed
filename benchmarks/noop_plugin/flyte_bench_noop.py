"""A task type that ends at once: what is left is the engine's own cost."""

from __future__ import annotations

from collections.abc import Sequence

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.hookspecs import PluginContext, hookimpl
from flyte_core.task_types import TaskContext, TaskType


class Noop:
    """Gives its inputs back as its outputs."""

    plugin_id = "noop"
    task_types = ("noop",)
    name_limit = 50

    async def run(self, ctx: TaskContext) -> LiteralMap:
        """Return output ``o0``, which is input ``x``."""
        return LiteralMap(literals={"o0": ctx.inputs.literals["x"]})


@hookimpl
def flyte_task_types(ctx: PluginContext) -> Sequence[TaskType]:
    """Offer the type."""
    return [Noop()]
