"""What attempts are outside, by the kind of their node: a task's pod or job, an execution, what a gate waits for."""

from __future__ import annotations

from dataclasses import dataclass

from flyte_core.task_types import PhaseInfo
from flyte_propeller.machine.effects import LaunchTask
from flyte_propeller.machine.state import AttemptKey
from flyte_propeller.shell.children import Children
from flyte_propeller.shell.contexts import task_context
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.gates import Gates
from flyte_propeller.shell.inputs import kept_inputs
from flyte_propeller.shell.ports import Launched, TaskHost


@dataclass(frozen=True, slots=True)
class Outside:
    """Creates, looks at and deletes attempts; the methods are those of :class:`~flyte_propeller.shell.ports.TaskHost`,
    for every kind of node.
    """

    host: TaskHost
    children: Children
    gates: Gates

    async def launch(self, execution: Execution, effect: LaunchTask) -> Launched | PhaseInfo:
        """Create what runs the attempt, or find it. The inputs of a node that is no gate must be in memory."""
        node, key = execution.workflow.at(effect.node), (effect.node, effect.attempt)
        match node.kind:
            case "launch_plan":
                return await self.children.launch(execution, key, kept_inputs(execution, effect.node))
            case "gate":
                return await self.gates.launch(execution, key)
            case _:
                context = task_context(
                    execution.workflow,
                    node,
                    effect.attempt,
                    system_failures=effect.system_failures,
                    checkpoint=effect.checkpoint,
                    inputs=kept_inputs(execution, effect.node),
                )
                execution.know_element(effect.node, context.generated_name)
                return await self.host.launch(context)

    async def observe(self, execution: Execution, key: AttemptKey, token: str) -> PhaseInfo:
        """Return the phase of the attempt now."""
        node = execution.workflow.at(key[0])
        match node.kind:
            case "launch_plan":
                return await self.children.observe(execution, key)
            case "gate":
                return await self.gates.observe(execution, key)
            case _:
                return await self.host.observe(task_context(execution.workflow, node, key[1]), Launched(token))

    async def delete(self, execution: Execution, key: AttemptKey, token: str) -> bool:
        """Ask for the end of what runs the attempt; True once nothing of it is left."""
        node = execution.workflow.at(key[0])
        match node.kind:
            case "launch_plan":
                return await self.children.delete(execution, key)
            case "gate":
                return True
            case _:
                context = task_context(execution.workflow, node, key[1])
                return await self.host.delete(context, Launched(token) if token else None)
