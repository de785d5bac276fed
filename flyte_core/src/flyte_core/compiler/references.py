"""What a workflow may refer to: tasks, launch plans and sub-workflows, by identifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from flyteidl.admin.launch_plan_pb2 import LaunchPlanClosure
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.compiler_pb2 import CompiledTask
from flyteidl.core.identifier_pb2 import Identifier
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.workflow_pb2 import BranchNode, Node

Key: TypeAlias = tuple[str, str, str, str]


class LaunchPlanInterface(NamedTuple):
    """A registered launch plan as the compiler sees it.

    :ivar interface: expected inputs (without fixed ones) and outputs
    :ivar defaulted: inputs that have a default and so need no binding
    """

    id: Identifier
    interface: TypedInterface
    defaulted: frozenset[str] = frozenset()


def launch_plan_interface(identifier: Identifier, closure: LaunchPlanClosure) -> LaunchPlanInterface:
    """Return a registered launch plan as the compiler sees it."""
    expected = closure.expected_inputs.parameters
    interface = TypedInterface(outputs=closure.expected_outputs)
    for name, parameter in expected.items():
        interface.inputs.variables[name].CopyFrom(parameter.var)
    defaulted = frozenset(name for name, parameter in expected.items() if not parameter.required)
    return LaunchPlanInterface(identifier, interface, defaulted)


def key_of(identifier: Identifier) -> Key:
    """Return what identifies a reference of one resource type."""
    return (identifier.project, identifier.domain, identifier.name, identifier.version)


def text_of(identifier: Identifier) -> str:
    """Return the reference for messages: ``project:domain:name:version``."""
    return ":".join(key_of(identifier))


class References:
    """The tasks and launch plans at hand; remembers which tasks were asked for."""

    def __init__(
        self,
        tasks: Iterable[CompiledTask],
        launch_plans: Iterable[LaunchPlanInterface | tuple[Identifier, TypedInterface]],
    ) -> None:
        self._tasks = {key_of(task.template.id): task for task in tasks}
        plans = (LaunchPlanInterface(*plan) for plan in launch_plans)
        self._launch_plans = {key_of(plan.id): plan for plan in plans}
        self._used: dict[Key, CompiledTask] = {}

    def task(self, identifier: Identifier) -> CompiledTask | None:
        """Return the task and count it as used by the workflow."""
        key = key_of(identifier)
        task = self._tasks.get(key)
        if task is not None:
            self._used[key] = task
        return task

    def launch_plan(self, identifier: Identifier) -> LaunchPlanInterface | None:
        """Return the launch plan, None if it is not registered."""
        return self._launch_plans.get(key_of(identifier))

    def used_tasks(self) -> list[CompiledTask]:
        """Return each task that was asked for once, by identifier."""
        return [self._used[key] for key in sorted(self._used)]


def nodes_of(spec: WorkflowSpec) -> Iterator[Node]:
    """Yield every node of the workflow and its sub-workflows, those within branches and array nodes too."""
    for template in (spec.template, *spec.sub_workflows):
        waiting = list(template.nodes)
        if template.HasField("failure_node"):
            waiting.append(template.failure_node)
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(_inner(node))


def _inner(node: Node) -> list[Node]:
    if node.HasField("array_node"):
        return [node.array_node.node]
    return _branch_nodes(node.branch_node) if node.HasField("branch_node") else []


def _branch_nodes(branch: BranchNode) -> list[Node]:
    nodes = [branch.if_else.case.then_node, *(case.then_node for case in branch.if_else.other)]
    if branch.if_else.HasField("else_node"):
        nodes.append(branch.if_else.else_node)
    return nodes
