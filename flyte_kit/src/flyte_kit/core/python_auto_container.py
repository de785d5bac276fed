"""Tasks that run in a container whose arguments the SDK writes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

from flyteidl.core.literals_pb2 import KeyValuePair
from flyteidl.core.security_pb2 import SecurityContext
from flyteidl.core.tasks_pb2 import Container, ExtendedResources, K8sPod
from flyteidl.core.tasks_pb2 import Resources as ResourcesMessage

from flyte_kit.configuration.images import ImageConfig, resolve_templates
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import PythonTask, TaskMetadata, TaskResolverMixin
from flyte_kit.core.constants import RUNTIME_PACKAGES_ENV_NAME
from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.core.notebook_tasks import default_notebook_task_resolver as default_notebook_task_resolver
from flyte_kit.core.pod_template import PodTemplate, pod_of_template
from flyte_kit.core.resources import Resources, ResourceSpec, chosen, extended_resources
from flyte_kit.core.security import Secret
from flyte_kit.core.tracker import TrackedInstance, extract_task_module
from flyte_kit.extras.accelerators import BaseAccelerator
from flyte_kit.image_spec.image_spec import ImageBuildEngine, ImageSpec

T = TypeVar("T")
CommandFunction = Callable[[SerializationSettings], list[str]]
PRIMARY_CONTAINER_NAME_FIELD = "primary_container_name"
_ORDER = (
    ResourcesMessage.EPHEMERAL_STORAGE,
    ResourcesMessage.CPU,
    ResourcesMessage.GPU,
    ResourcesMessage.MEMORY,
)


def execute_command(program: str, resolver: str, loader_args: list[str]) -> list[str]:
    """Return the arguments of an entrypoint; engines replace what stands in braces."""
    return [
        program,
        "--inputs",
        "{{.input}}",
        "--output-prefix",
        "{{.outputPrefix}}",
        "--raw-output-data-prefix",
        "{{.rawOutputDataPrefix}}",
        "--checkpoint-path",
        "{{.checkpointOutputPrefix}}",
        "--prev-checkpoint",
        "{{.prevCheckpointPrefix}}",
        "--resolver",
        resolver,
        "--",
        *loader_args,
    ]


class PythonAutoContainerTask(PythonTask[T]):
    """A task that a container of the user's image runs; the arguments of the constructor are those of ``@task``."""

    def __init__(  # noqa: PLR0913 - the arguments of flytekit's class
        self,
        name: str,
        task_config: T | None,
        task_type: str = "python-task",
        container_image: str | ImageSpec | None = None,
        requests: Resources | None = None,
        limits: Resources | None = None,
        environment: dict[str, str] | None = None,
        task_resolver: TaskResolverMixin | None = None,
        secret_requests: list[Secret] | None = None,
        pod_template: PodTemplate | None = None,
        pod_template_name: str | None = None,
        accelerator: BaseAccelerator | None = None,
        shared_memory: bool | str | None = None,
        resources: Resources | None = None,
        labels: dict[str, str] | None = None,
        annotations: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        metadata: TaskMetadata = kwargs.pop("metadata", None) or TaskMetadata()
        metadata.pod_template_name = pod_template_name
        metadata.labels = labels if labels is not None else metadata.labels
        metadata.annotations = annotations if annotations is not None else metadata.annotations
        self._container_image = container_image
        self._resources = chosen(requests, limits, resources)
        self._command_fn: CommandFunction | None = None
        self.pod_template = pod_template
        self.accelerator = accelerator
        self.shared_memory = shared_memory
        if secret_requests:
            kwargs["security_ctx"] = security_context(secret_requests)
        super().__init__(
            task_type=task_type,
            name=name,
            task_config=task_config,
            environment=environment,
            metadata=metadata,
            **kwargs,
        )
        self._task_resolver: TaskResolverMixin = task_resolver or default_task_resolver
        state = FlyteContextManager.current_context().compilation_state
        if state is not None and state.task_resolver is not None:
            self._task_resolver = state.task_resolver
            self._name = state.task_resolver.task_name(self) or self._name

    @property
    def task_resolver(self) -> TaskResolverMixin:
        """Finds the task again in its container."""
        return self._task_resolver

    def set_resolver(self, resolver: TaskResolverMixin) -> None:
        """Take another resolver."""
        self._task_resolver = resolver

    @property
    def container_image(self) -> str | ImageSpec | None:
        """Its image; the default one without it."""
        return self._container_image

    @property
    def resources(self) -> ResourceSpec:
        """What it asks of the machine."""
        return self._resources

    def get_default_command(self, settings: SerializationSettings) -> list[str]:
        """Return the arguments of its container."""
        resolver = self.task_resolver
        return execute_command("pyflyte-execute", resolver.location, resolver.loader_args(settings, self))

    def set_command_fn(self, get_command_fn: CommandFunction | None = None) -> None:
        """Take other arguments, until :meth:`reset_command_fn`."""
        self._command_fn = get_command_fn

    def reset_command_fn(self) -> None:
        """Take the usual arguments again."""
        self._command_fn = None

    def get_command(self, settings: SerializationSettings) -> list[str]:
        """Return the arguments of its container, as they are set now."""
        return self._command_fn(settings) if self._command_fn else self.get_default_command(settings)

    def get_image(self, settings: SerializationSettings) -> str:
        """Return the image as text; an ImageSpec is built, if nobody has built it yet.

        Where tasks do not fetch their code when they start, it goes into the image (``settings.source_root``).
        """
        image = self.container_image
        if isinstance(image, ImageSpec) and settings.image_config.find_image(image.id) is None:
            image = image.with_code_of(None if settings.should_fast_serialize() else settings.source_root)
        return get_registerable_container_image(image, settings.image_config)

    def get_container(self, settings: SerializationSettings) -> Container | None:
        """Return the container; None where a pod template takes its place."""
        return None if self.pod_template is not None else self.build_container(settings)

    def build_container(self, settings: SerializationSettings) -> Container:
        """Return the container, also for a pod."""
        environment = {**(settings.env or {}), **self.environment}
        image = self.container_image
        if isinstance(image, ImageSpec) and image.runtime_packages:
            environment[RUNTIME_PACKAGES_ENV_NAME] = " ".join(image.runtime_packages)
        spec = self._resources
        if settings.default_resources is not None and spec == ResourceSpec():
            spec = settings.default_resources
        return container(self.get_image(settings), self.get_command(settings), environment, spec)

    def get_k8s_pod(self, settings: SerializationSettings) -> K8sPod | None:
        """Return the pod, where there is a template."""
        if self.pod_template is None:
            return None
        return pod_of_template(self.pod_template, self.build_container(settings), settings)

    def get_config(self, settings: SerializationSettings) -> dict[str, str]:
        """Return the name of the pod's container, where there is a template."""
        if self.pod_template is None:
            return {}
        return {PRIMARY_CONTAINER_NAME_FIELD: self.pod_template.primary_container_name}

    def get_extended_resources(self, settings: SerializationSettings) -> ExtendedResources | None:
        """Return the accelerator and shared memory that it asks for."""
        return extended_resources(self.accelerator, self.shared_memory)


def container(image: str, args: list[str], environment: dict[str, str], spec: ResourceSpec) -> Container:
    """Return a container as the wire has it."""
    result = Container(image=image, args=args)
    result.resources.requests.extend(sorted(spec.requests.entries(), key=lambda entry: _ORDER.index(entry.name)))
    result.resources.limits.extend(sorted(spec.limits.entries(), key=lambda entry: _ORDER.index(entry.name)))
    result.resources.SetInParent()
    result.env.extend(KeyValuePair(key=name, value=value) for name, value in environment.items())
    return result


def security_context(secrets: list[Secret]) -> SecurityContext:
    """Return what the engine is told of the secrets that a task asks for."""
    for each in secrets:
        if not isinstance(each, Secret):
            raise AssertionError(f"Secret {each} should be of type flyte_kit.Secret, received {type(each)}")  # noqa: TRY004 - as flytekit raises
    return SecurityContext(secrets=[each.message() for each in secrets])


def get_registerable_container_image(img: str | ImageSpec | None, cfg: ImageConfig) -> str:
    """Return an image as text.

    :raises ValueError: if there is none, not even a default one
    """
    if isinstance(img, ImageSpec):
        known = cfg.find_image(img.id)
        if known is not None:
            return known.full
        ImageBuildEngine.build(img)
        return img.image_name()
    if img:
        return resolve_templates(img, cfg)
    if cfg.default_image is None:
        raise ValueError("An image is required for tasks that run in a container: name one, or a default one")
    return cfg.default_image.full


class DefaultTaskResolver(TrackedInstance, TaskResolverMixin):
    """Finds a task by its module and its function's name."""

    def name(self) -> str:
        """Return the resolver's name."""
        return "DefaultTaskResolver"

    def load_task(self, loader_args: list[str]) -> Any:
        """Import ``task-module M task-name T``."""
        _, module, _, name, *_ = loader_args
        return getattr(importlib.import_module(module), name)

    def loader_args(self, settings: SerializationSettings, t: Any) -> list[str]:
        """Return module and name."""
        _, module, name, _ = extract_task_module(t)
        return ["task-module", module, "task-name", name]

    def get_all_tasks(self) -> list[Any]:
        """Return nothing: tasks are loaded one by one."""
        return []


default_task_resolver = DefaultTaskResolver()
