"""Echo tasks: done by the data plane itself, without a container. The outputs are the inputs."""

from __future__ import annotations

from collections.abc import Sequence

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.errors import InvalidInput
from flyte_core.hookspecs import PluginContext, hookimpl
from flyte_core.task_types import TaskContext, TaskType


class EchoTaskType:
    """The task type ``echo``."""

    plugin_id = "echo"
    task_types: Sequence[str] = ("echo",)
    name_limit = 50

    async def run(self, ctx: TaskContext) -> LiteralMap:
        """Return the inputs under the names of the outputs, both in the order of their names.

        :raises InvalidInput: if the task has not as many outputs as inputs
        """
        inputs = sorted(ctx.template.interface.inputs.variables)
        outputs = sorted(ctx.template.interface.outputs.variables)
        if len(inputs) != len(outputs):
            raise InvalidInput(
                f"an echo task has as many outputs as inputs, not {len(inputs)} inputs and {len(outputs)} outputs",
                field="interface",
            )
        result = LiteralMap()
        for source, target in zip(inputs, outputs, strict=True):
            if source in ctx.inputs.literals:
                result.literals[target].CopyFrom(ctx.inputs.literals[source])
        return result


class EchoPlugin:
    """The plugin: what the entry point names."""

    @hookimpl
    def flyte_task_types(self, ctx: PluginContext) -> Sequence[TaskType]:
        """Return the one task type."""
        return [EchoTaskType()]


plugin = EchoPlugin()
