"""Tasks of a plugin's own image: registered with all that their code needs in the template."""

from __future__ import annotations

import importlib
import os
from typing import Any, TypeVar

from flyteidl.core.tasks_pb2 import Container, TaskTemplate

from flyte_kit.configuration.images import Image, ImageConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import PythonTask, TaskResolverMixin
from flyte_kit.core.constants import own_name, wire_name
from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.python_auto_container import (
    container,
    execute_command,
    get_registerable_container_image,
    security_context,
)
from flyte_kit.core.resources import Resources, chosen
from flyte_kit.core.security import Secret
from flyte_kit.core.shim_task import ExecutableTemplateShimTask, ShimTaskExecutor
from flyte_kit.core.tracker import TrackedInstance
from flyte_kit.image_spec.image_spec import ImageSpec

TC = TypeVar("TC")
_PLACEHOLDER = SerializationSettings(
    project="PLACEHOLDER_PROJECT",
    domain="LOCAL",
    version="PLACEHOLDER_VERSION",
    image_config=ImageConfig(Image("custom_container_task", "flyteorg.io/placeholder", "image")),
)
_CHECKPOINTS = 4


class PythonCustomizedContainerTask(PythonTask[TC]):
    """A task whose image is the plugin's.

    :param executor_type: its code
    """

    def __init__(  # noqa: PLR0913 - the arguments of flytekit's class
        self,
        name: str,
        task_config: TC,
        container_image: str | ImageSpec,
        executor_type: type[ShimTaskExecutor[Any]],
        task_resolver: TaskResolverMixin | None = None,
        task_type: str = "python-task",
        requests: Resources | None = None,
        limits: Resources | None = None,
        environment: dict[str, str] | None = None,
        secret_requests: list[Secret] | None = None,
        **kwargs: Any,
    ) -> None:
        if secret_requests:
            kwargs["security_ctx"] = security_context(secret_requests)
        super().__init__(task_type=task_type, name=name, task_config=task_config, environment=environment, **kwargs)
        self.executor_type = executor_type
        self.executor = executor_type()
        self.resources = chosen(requests, limits, None)
        self.container_image = container_image
        self.task_resolver = task_resolver or default_task_template_resolver

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        """Return what the code needs to know."""
        raise NotImplementedError(f"{type(self).__name__}.get_custom is missing")

    def get_config(self, settings: SerializationSettings) -> dict[str, str]:
        """Return nothing."""
        return {}

    def get_command(self, settings: SerializationSettings) -> list[str]:
        """Return the arguments of its container; there are no checkpoints."""
        command = execute_command(
            "pyflyte-execute", self.task_resolver.location, self.task_resolver.loader_args(settings, self)
        )
        start = command.index("--checkpoint-path")
        return command[:start] + command[start + _CHECKPOINTS :]

    def get_container(self, settings: SerializationSettings) -> Container:
        """Return the container."""
        image = get_registerable_container_image(self.container_image, settings.image_config)
        environment = {**(settings.env or {}), **self.environment}
        return container(image, self.get_command(settings), environment, self.resources)

    @property
    def task_template(self) -> TaskTemplate:
        """The template as a local run sees it."""
        result = TaskTemplate(type=self.task_type, interface=self.interface, container=self.get_container(_PLACEHOLDER))
        result.id.name = self.name
        result.custom.update(self.get_custom(_PLACEHOLDER))
        return result

    def execute(self, **kwargs: Any) -> Any:
        """Run the code on this machine."""
        return self.executor.execute_from_model(self.task_template, **kwargs)


class TaskTemplateResolver(TrackedInstance, TaskResolverMixin):
    """Loads the code's class, and the template from a file that the engine writes."""

    def name(self) -> str:
        """Return the resolver's name."""
        return "task template resolver"

    def load_task(self, loader_args: list[str]) -> ExecutableTemplateShimTask:
        """Return the template of a file with its code."""
        ctx = FlyteContext.current_context()
        path = ctx.file_access.get_random_local_path("task_template.pb")
        ctx.file_access.get_data(loader_args[0], path)
        with open(os.fspath(path), "rb") as file:
            template = TaskTemplate.FromString(file.read())
        module, _, name = own_name(loader_args[1]).rpartition(".")
        return ExecutableTemplateShimTask(template, getattr(importlib.import_module(module), name))

    def loader_args(self, settings: SerializationSettings, t: Any) -> list[str]:
        """Return the template's file and the class of the code."""
        return ["{{.taskTemplatePath}}", wire_name(f"{t.executor_type.__module__}.{t.executor_type.__name__}")]

    def get_all_tasks(self) -> list[Any]:
        """Return nothing: tasks are loaded one by one."""
        return []


default_task_template_resolver = TaskTemplateResolver()
