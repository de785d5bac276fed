"""Tasks in containers that know nothing of Flyte: a sidecar brings inputs and takes outputs."""

from __future__ import annotations

import os
import re
import subprocess
from enum import Enum
from typing import Any

from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.tasks_pb2 import Container, DataLoadingConfig, IOStrategy, K8sPod

from flyte_core.errors import ConfigError
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import PythonTask, TaskMetadata
from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.input_text import value_of_text
from flyte_kit.core.interface import Interface
from flyte_kit.core.pod_template import PodTemplate, pod_of_template
from flyte_kit.core.python_auto_container import (
    PRIMARY_CONTAINER_NAME_FIELD,
    container,
    get_registerable_container_image,
    security_context,
)
from flyte_kit.core.resources import Resources, chosen
from flyte_kit.core.security import Secret
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.exceptions.user import FlyteRecoverableException
from flyte_kit.image_spec.image_spec import ImageSpec
from flyte_kit.loggers import logger

_INPUT = re.compile(r"\{\{\s*\.inputs\.(\w+)\s*\}\}")


class MetadataFormat(Enum):
    """Format of the file that describes the inputs."""

    JSON = DataLoadingConfig.JSON
    YAML = DataLoadingConfig.YAML
    PROTO = DataLoadingConfig.PROTO


_MetadataFormat = MetadataFormat


class _IOStrategy(Enum):
    DOWNLOAD_EAGER = IOStrategy.DOWNLOAD_EAGER
    DOWNLOAD_STREAM = IOStrategy.DOWNLOAD_STREAM
    DO_NOT_DOWNLOAD = IOStrategy.DO_NOT_DOWNLOAD
    UPLOAD_EAGER = IOStrategy.UPLOAD_EAGER
    UPLOAD_ON_EXIT = IOStrategy.UPLOAD_ON_EXIT
    DO_NOT_UPLOAD = IOStrategy.DO_NOT_UPLOAD


class ContainerTask(PythonTask[Any]):
    """A command in an image.

    ``{{.inputs.x}}`` stands for an input; files are below ``input_data_dir``, outputs are written to files of their
    names below ``output_data_dir``.

    :param command: with ``arguments`` after it
    :param local_logs: whether a local run shows what the container prints
    """

    MetadataFormat = MetadataFormat
    IOStrategy = _IOStrategy

    def __init__(  # noqa: PLR0913 - the arguments of flytekit's class
        self,
        name: str,
        image: str | ImageSpec,
        command: list[str],
        inputs: dict[str, Any] | None = None,
        metadata: TaskMetadata | None = None,
        arguments: list[str] | None = None,
        outputs: dict[str, Any] | None = None,
        requests: Resources | None = None,
        limits: Resources | None = None,
        input_data_dir: str | None = None,
        output_data_dir: str | None = None,
        metadata_format: _MetadataFormat = _MetadataFormat.JSON,
        io_strategy: _IOStrategy | None = None,
        secret_requests: list[Secret] | None = None,
        pod_template: PodTemplate | None = None,
        pod_template_name: str | None = None,
        local_logs: bool = False,
        resources: Resources | None = None,
        **kwargs: Any,
    ) -> None:
        metadata = metadata or TaskMetadata()
        metadata.pod_template_name = pod_template_name
        super().__init__(
            task_type="raw-container",
            name=name,
            interface=Interface(inputs, outputs),
            metadata=metadata,
            task_config=None,
            security_ctx=security_context(secret_requests) if secret_requests else None,
            **kwargs,
        )
        self.image, self.command, self.arguments = image, list(command or []), list(arguments or [])
        self.input_data_dir, self.output_data_dir = input_data_dir, output_data_dir
        self._format, self._io_strategy = metadata_format, io_strategy
        self.resources = chosen(requests, limits, resources)
        self.pod_template = pod_template
        self.local_logs = local_logs

    def data_config(self) -> DataLoadingConfig:
        """Return what the sidecar is told."""
        config = DataLoadingConfig(
            enabled=True,
            input_path=self.input_data_dir or "",
            output_path=self.output_data_dir or "",
            format=self._format.value,
        )
        if self._io_strategy is not None:
            _set_strategy(config, self._io_strategy)
        return config

    def build_container(self, settings: SerializationSettings) -> Container:
        """Return the container, also for a pod."""
        image = get_registerable_container_image(self.image, settings.image_config)
        environment = {**(settings.env or {}), **self.environment}
        result = container(image, self.arguments, environment, self.resources)
        result.command.extend(self.command)
        result.data_config.CopyFrom(self.data_config())
        return result

    def get_container(self, settings: SerializationSettings) -> Container | None:
        """Return the container; None where a pod template takes its place."""
        return None if self.pod_template is not None else self.build_container(settings)

    def get_k8s_pod(self, settings: SerializationSettings) -> K8sPod | None:
        """Return the pod, where there is a template."""
        if self.pod_template is None:
            return None
        pod = pod_of_template(self.pod_template, self.build_container(settings), settings)
        pod.data_config.CopyFrom(self.data_config())
        return pod

    def get_config(self, settings: SerializationSettings) -> dict[str, str]:
        """Return the name of the pod's container, where there is a template."""
        if self.pod_template is None:
            return {}
        return {PRIMARY_CONTAINER_NAME_FIELD: self.pod_template.primary_container_name}

    def execute(self, **kwargs: Any) -> LiteralMap:
        """Run the container with the machine's docker, for local runs.

        :raises ConfigError: if there is no docker
        :raises FlyteRecoverableException: if the command fails
        """
        ctx = FlyteContext.current_context()
        folder = ctx.file_access.get_random_local_directory()
        command, mounts = self._rendered(kwargs)
        mounts[folder] = self.output_data_dir or "/var/outputs"
        volumes = [part for host, inside in mounts.items() for part in ("-v", f"{host}:{inside}")]
        image = self.image.image_name() if isinstance(self.image, ImageSpec) else self.image
        try:
            done = subprocess.run(
                ["docker", "run", "--rm", *volumes, image, *command], capture_output=True, text=True, check=False
            )
        except FileNotFoundError as error:
            raise ConfigError(f"{self.name} runs in a container: running it here needs docker") from error
        if self.local_logs:
            logger.warning("[Local Container] %s", done.stdout + done.stderr)
        if done.returncode != 0:
            raise FlyteRecoverableException(f"{self.name}: exit code {done.returncode}: {done.stderr[-2000:]}")
        values = {name: _output(folder, name, t) for name, t in self.python_interface.outputs.items()}
        return TypeEngine.dict_to_literal_map(ctx, values, self.python_interface.outputs)

    def _rendered(self, inputs: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
        mounts: dict[str, str] = {}
        for name, value in inputs.items():
            if isinstance(value, os.PathLike):
                mounts[os.fspath(value)] = f"{self.input_data_dir or '/var/inputs'}/{name}"
        texts = {name: mounts.get(str(value), str(value)) for name, value in inputs.items()}
        words = [
            _INPUT.sub(lambda match: texts.get(match[1], match[0]), word) for word in self.command + self.arguments
        ]
        return words, mounts


def _set_strategy(config: DataLoadingConfig, strategy: _IOStrategy) -> None:
    if strategy.name.endswith(("DOWNLOAD", "DOWNLOAD_EAGER", "DOWNLOAD_STREAM")):
        config.io_strategy.download_mode = strategy.value
    else:
        config.io_strategy.upload_mode = strategy.value
    config.io_strategy.SetInParent()


def _output(folder: str, name: str, t: Any) -> Any:
    path = os.path.join(folder, name)
    if hasattr(t, "_serialize"):
        return t(path)
    with open(path) as file:
        return value_of_text(file.read().strip(), t)
