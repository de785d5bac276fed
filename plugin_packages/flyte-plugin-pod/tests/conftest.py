"""Task contexts and pods for the tests of this plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.core.identifier_pb2 import (
    Identifier,
    NodeExecutionIdentifier,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flyteidl.core.tasks_pb2 import Container, TaskTemplate

from flyte_core.hookspecs import PluginContext
from flyte_core.task_types import ResourceTaskType, TaskContext, TaskPaths
from flyte_plugin_pod import plugin


def task_type(name: str = "container", **config: Any) -> ResourceTaskType:
    """Return the plugin's task type of that plugin id; ``_`` in keys of the configuration stands for ``-``."""
    section = {key.replace("_", "-"): value for key, value in config.items()}
    by_id = {item.plugin_id: item for item in plugin.flyte_task_types(PluginContext(config=section))}
    found = by_id[name]
    assert isinstance(found, ResourceTaskType)
    return found


def context(template: TaskTemplate | None = None, **changes: Any) -> TaskContext:
    """Return the context of a first attempt of a small container task."""
    if template is None:
        template = TaskTemplate(type="container", container=Container(image="image", args=["run"]))
    template.id.CopyFrom(Identifier(project="p", domain="d", name="m.t", version="v"))
    execution = WorkflowExecutionIdentifier(project="p", domain="d", name="ex")
    return TaskContext(
        id=TaskExecutionIdentifier(
            task_id=template.id, node_execution_id=NodeExecutionIdentifier(node_id="n0", execution_id=execution)
        ),
        template=template,
        generated_name="ex-n0-0",
        namespace="p-d",
        workflow_id="p:d:w",
        paths=TaskPaths("s3://b/n0/data/inputs.pb", "s3://b/n0/data/0", "s3://b/raw", "s3://b/raw/_cp"),
        owner={},
        **changes,
    )


def build(ctx: TaskContext, name: str = "container", **config: Any) -> Mapping[str, Any]:
    """Return the pod that the plugin makes."""
    return task_type(name, **config).build(ctx)


def only_container(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the pod's only container."""
    [container] = pod["spec"]["containers"]
    found: Mapping[str, Any] = container
    return found
