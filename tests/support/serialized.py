"""What the SDK would register: the messages of an entity, and the pod that a task's template becomes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_core.hookspecs import PluginContext
from flyte_core.task_types import ResourceTaskType, TaskContext, TaskPaths
from flyte_kit.configuration import Image, ImageConfig, SerializationSettings
from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.launch_plan import LaunchPlan
from flyte_kit.tools.translator import get_serializable
from flyte_plugin_pod import plugin

DEFAULT = Image("default", "registry.example/default", "v1")
OTHER = Image("other", "registry.example/other", "v2")
SETTINGS = SerializationSettings(
    ImageConfig(default_image=DEFAULT, images=[DEFAULT, OTHER]), project="p", domain="d", version="v"
)


def everything(entity: Any, settings: SerializationSettings = SETTINGS) -> list[Any]:
    """Return the messages of an entity and of all that it needs, in the order of their registration."""
    known: OrderedDict[Any, Any] = OrderedDict()
    get_serializable(known, settings, entity)
    return list(known.values())


def template_of(task: Any, settings: SerializationSettings = SETTINGS) -> TaskTemplate:
    """Return a task's template."""
    found: TaskTemplate = get_serializable(OrderedDict(), settings, task).template
    return found


def spec_of(workflow: Any, settings: SerializationSettings = SETTINGS) -> WorkflowSpec:
    """Return a workflow's specification."""
    found: WorkflowSpec = get_serializable(OrderedDict(), settings, workflow)
    return found


def plan_of(entity: Any, settings: SerializationSettings = SETTINGS) -> LaunchPlanMessage:
    """Return a launch plan's message; that of a workflow's default launch plan."""
    if not isinstance(entity, LaunchPlan):
        entity = LaunchPlan.get_default_launch_plan(FlyteContextManager.current_context(), entity)
    found: LaunchPlanMessage = get_serializable(OrderedDict(), settings, entity)
    return found


def pod_of(template: TaskTemplate) -> Mapping[str, Any]:
    """Return the pod that a first attempt of a task gets."""
    [kind] = [item for item in plugin.flyte_task_types(PluginContext(config={})) if item.plugin_id == "container"]
    assert isinstance(kind, ResourceTaskType)
    execution = WorkflowExecutionIdentifier(project="p", domain="d", name="ex")
    node = NodeExecutionIdentifier(node_id="n0", execution_id=execution)
    task = Identifier(project="p", domain="d", name=template.id.name, version="v")
    return kind.build(
        TaskContext(
            id=TaskExecutionIdentifier(task_id=task, node_execution_id=node),
            template=template,
            generated_name="ex-n0-0",
            namespace="p-d",
            workflow_id="p:d:w",
            paths=TaskPaths("s3://b/inputs.pb", "s3://b/0", "s3://b/raw", "s3://b/raw/_cp"),
            owner={},
        )
    )
