"""A task launched by itself: the platform registers a workflow of one node and its launch plan, once per version."""

from __future__ import annotations

import re

from flyteidl.admin.common_pb2 import Annotations, Labels, NamedEntityMetadata, NamedEntityState
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest, LaunchPlanMetadata, LaunchPlanSpec
from flyteidl.admin.task_pb2 import TaskClosure
from flyteidl.admin.workflow_pb2 import WorkflowCreateRequest
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import ParameterMap
from flyteidl.core.literals_pb2 import Binding, LiteralMap
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.workflow_pb2 import WorkflowTemplate
from sqlalchemy import Connection

from flyte_admin.db import Database
from flyte_admin.launch_plans.repository import ROWS as LAUNCH_PLANS
from flyte_admin.launch_plans.service import LaunchPlanService
from flyte_admin.named_entities import repository as named_entities
from flyte_admin.named_entities.repository import GENERATED_PREFIX
from flyte_admin.tasks.repository import ROWS as TASKS
from flyte_admin.workflows.service import WorkflowService
from flyte_core.errors import AlreadyExists

DEFAULT_RETRIES = 3
"""Retries of the node where the task states none (upstream's number)."""

_LONGEST_NODE_ID = 63
_NOT_NODE_ID = re.compile(r"[^a-zA-Z0-9-]+")


class SingleTasks:
    """Makes launch plans for single tasks."""

    def __init__(self, database: Database, workflows: WorkflowService, launch_plans: LaunchPlanService) -> None:
        self._database = database
        self._workflows = workflows
        self._launch_plans = launch_plans

    async def launch_plan(self, task: Identifier) -> Identifier:
        """Return the launch plan which runs this task alone, registering it and its workflow where they are missing.

        :raises NotFound: if the task is not registered
        """
        plan = _generated(task, ResourceType.LAUNCH_PLAN)
        template = await self._database.read(lambda connection: _missing_for(connection, task, plan))
        if template is None:
            return plan
        workflow = _generated(task, ResourceType.WORKFLOW)
        request = WorkflowCreateRequest(id=workflow)
        request.spec.template.CopyFrom(single_task_workflow(workflow, template))
        try:
            await self._workflows.create(request)
        except AlreadyExists as error:
            if not error.identical:
                raise
        await self._database.write(lambda connection: _mark_generated(connection, plan))
        try:  # last: once it is there, nothing of the above is looked at again
            await self._launch_plans.create(_plan_request(plan, workflow))
        except AlreadyExists as error:
            if not error.identical:
                raise
        return plan


def single_task_workflow(identifier: Identifier, task: TaskTemplate) -> WorkflowTemplate:
    """Return the workflow with the task's interface and one node."""
    workflow = WorkflowTemplate(id=identifier)
    workflow.interface.CopyFrom(task.interface)
    workflow.metadata.SetInParent()
    workflow.metadata_defaults.SetInParent()
    node = workflow.nodes.add(id=node_id(task.id.name))
    node.metadata.name = node.id
    metadata = task.metadata
    node.metadata.retries.retries = metadata.retries.retries if metadata.HasField("retries") else DEFAULT_RETRIES
    if metadata.WhichOneof("interruptible_value"):
        node.metadata.interruptible = metadata.interruptible
    node.task_node.reference_id.CopyFrom(task.id)
    node.inputs.extend(_binding(name, "start-node", name) for name in sorted(task.interface.inputs.variables))
    workflow.outputs.extend(_binding(name, node.id, name) for name in sorted(task.interface.outputs.variables))
    return workflow


def node_id(task_name: str) -> str:
    """Return the id of the node: the end of the task's name, without what a node id may not have."""
    return _NOT_NODE_ID.sub("", task_name)[-_LONGEST_NODE_ID:]


def _binding(variable: str, source_node: str, source: str) -> Binding:
    binding = Binding(var=variable)
    binding.binding.promise.node_id = source_node
    binding.binding.promise.var = source
    return binding


def _generated(task: Identifier, kind: ResourceType.ValueType) -> Identifier:
    return Identifier(
        resource_type=kind,
        project=task.project,
        domain=task.domain,
        name=GENERATED_PREFIX + task.name,
        version=task.version,
    )


def _missing_for(connection: Connection, task: Identifier, plan: Identifier) -> TaskTemplate | None:
    """Return the task's template when its launch plan is missing, None when it is there."""
    if LAUNCH_PLANS.find(connection, plan) is not None:
        return None
    closure = TaskClosure.FromString(TASKS.get(connection, task).closure)
    return closure.compiled_task.template


def _plan_request(plan: Identifier, workflow: Identifier) -> LaunchPlanCreateRequest:
    spec = LaunchPlanSpec(
        workflow_id=workflow,
        entity_metadata=LaunchPlanMetadata(),
        default_inputs=ParameterMap(),
        fixed_inputs=LiteralMap(),
        labels=Labels(),
        annotations=Annotations(),
    )
    return LaunchPlanCreateRequest(id=plan, spec=spec)


def _mark_generated(connection: Connection, plan: Identifier) -> None:
    name = {"project": plan.project, "domain": plan.domain, "name": plan.name}
    metadata = NamedEntityMetadata(state=NamedEntityState.SYSTEM_GENERATED)
    for kind in (ResourceType.WORKFLOW, ResourceType.LAUNCH_PLAN):
        named_entities.write(connection, kind, name, metadata)
