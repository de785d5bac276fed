"""Tasks."""

from __future__ import annotations

import dataclasses
from typing import Any

from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_kit.configuration.images import Image, ImageConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.array_node_map_task import ArrayNodeMapTask
from flyte_kit.core.base_task import PythonTask
from flyte_kit.core.context_manager import FlyteEntities
from flyte_kit.core.python_auto_container import PythonAutoContainerTask
from flyte_kit.core.python_function_task import ExecutionBehavior, PythonFunctionTask
from flyte_kit.image_spec.image_spec import ImageSpec
from flyte_kit.serialization.scope import Scope

REMOTE_PACKAGE = "{{ .remote_package_path }}"
DESTINATION = "{{ .dest_dir }}"


def fast_prefix(settings: SerializationSettings) -> list[str]:
    """Return what goes before a command whose code is fetched when it starts."""
    fast = settings.fast_serialization_settings
    return [
        "pyflyte-fast-execute",
        "--additional-distribution",
        (fast.distribution_location if fast else None) or REMOTE_PACKAGE,
        "--dest-dir",
        (fast.destination_dir if fast else None) or DESTINATION,
        "--",
    ]


def task_spec(scope: Scope, task: PythonTask[Any]) -> TaskSpec:
    """Return a task as it is registered."""
    settings = scope.settings
    mode = task.execution_mode if isinstance(task, PythonFunctionTask) else ExecutionBehavior.DEFAULT
    if mode is ExecutionBehavior.DYNAMIC:
        settings = with_images(settings).with_serialized_context()
        for hint in getattr(task, "node_dependency_hints", None) or ():
            scope.add(hint, settings)
    elif mode is ExecutionBehavior.EAGER:
        settings = settings.with_serialized_context()
    template = TaskTemplate(
        id=scope.identifier(ResourceType.TASK, task.name),
        type=task.task_type,
        interface=task.interface,
        task_type_version=task.task_type_version,
        security_context=task.security_context,
        sql=task.get_sql(settings),
        extended_resources=task.get_extended_resources(settings),
    )
    _add_target(template, task, settings)
    custom = task.get_custom(settings)
    if custom is not None:
        template.custom.update(custom)
    template.config.update(_config(task, settings))
    metadata = task.metadata.message()
    metadata.generates_deck.value = task.metadata.generates_deck or task.enable_deck
    template.metadata.CopyFrom(metadata)
    spec = TaskSpec(template=template)
    if task.docs is not None:
        spec.description.CopyFrom(task.docs.message())
    return spec


def _config(task: PythonTask[Any], settings: SerializationSettings) -> dict[str, str]:
    function: Any = getattr(task, "task_function", None)
    extra = function.get_extra_config() if hasattr(function, "get_extra_config") else {}
    return {**(task.get_config(settings) or {}), **extra}


def _add_target(template: TaskTemplate, task: PythonTask[Any], settings: SerializationSettings) -> None:
    if settings.should_fast_serialize() and isinstance(task, PythonAutoContainerTask | ArrayNodeMapTask):
        command = fast_prefix(settings) + task.get_command(settings)
        task.set_command_fn(lambda given: command)
        try:
            _set_target(template, task, settings)
        finally:
            task.reset_command_fn()
    else:
        _set_target(template, task, settings)


def _set_target(template: TaskTemplate, task: PythonTask[Any], settings: SerializationSettings) -> None:
    container, pod = task.get_container(settings), task.get_k8s_pod(settings)
    if container is not None:
        template.container.CopyFrom(container)
    elif pod is not None:
        template.k8s_pod.CopyFrom(pod)


def with_images(settings: SerializationSettings) -> SerializationSettings:
    """Return settings that know the image of every ImageSpec, for tasks that compile when they run."""
    images = list(settings.image_config.images or [])
    for entity in FlyteEntities.entities:
        spec = getattr(entity, "container_image", None)
        if isinstance(entity, PythonAutoContainerTask) and isinstance(spec, ImageSpec):
            image = Image.look_up_image_info(spec.id, entity.get_image(settings))
            if image not in images:
                images.append(image)
    config = ImageConfig(settings.image_config.default_image, images or None)
    # The folder has served its purpose: a container has its own, and the same code registers from every folder alike
    return dataclasses.replace(settings, image_config=config, source_root=None)
