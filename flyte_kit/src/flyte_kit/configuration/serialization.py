"""What a serialized entity depends on beside its code."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
from dataclasses import dataclass
from typing import Any

from flyte_kit.configuration.images import Image, ImageConfig
from flyte_kit.core.constants import SERIALIZED_CONTEXT_ENV_VAR
from flyte_kit.core.resources import Resources, ResourceSpec

DEFAULT_PYTHON = "/opt/venv/bin/python3"


@dataclass(frozen=True)
class EntrypointSettings:
    """Where the entrypoint script is in an image, for plugins that start it by path.

    :ivar path: absolute path
    """

    path: str | None = None


@dataclass(frozen=True)
class FastSerializationSettings:
    """Code that is fetched when a task starts, rather than built into its image.

    :ivar enabled: whether tasks fetch it
    :ivar destination_dir: folder in the container to unpack it in
    :ivar distribution_location: URI of the tarball
    """

    enabled: bool = False
    destination_dir: str | None = None
    distribution_location: str | None = None


@dataclass(frozen=True)
class SerializationSettings:
    """Settings of one serialization.

    :ivar env: variables of every task's container, below the task's own
    :ivar default_resources: of tasks that ask for none
    :ivar git_repo: link to the source, for descriptions
    :ivar python_interpreter: path within the image
    :ivar source_root: folder that module names count from
    """

    image_config: ImageConfig
    project: str | None = None
    domain: str | None = None
    version: str | None = None
    env: dict[str, str] | None = None
    default_resources: ResourceSpec | None = None
    git_repo: str | None = None
    python_interpreter: str = DEFAULT_PYTHON
    flytekit_virtualenv_root: str | None = None
    fast_serialization_settings: FastSerializationSettings | None = None
    source_root: str | None = None

    def should_fast_serialize(self) -> bool:
        """Tell whether tasks fetch their code when they start."""
        return self.fast_serialization_settings is not None and self.fast_serialization_settings.enabled

    def with_serialized_context(self) -> SerializationSettings:
        """Return settings whose ``env`` carries these settings, for tasks that compile when they run."""
        return dataclasses.replace(self, env={**(self.env or {}), SERIALIZED_CONTEXT_ENV_VAR: self.serialized_context})

    @property
    def serialized_context(self) -> str:
        """These settings as text: base64 of gzip of JSON, the same for the same settings."""
        document = json.dumps(dataclasses.asdict(self), sort_keys=True).encode()
        return base64.b64encode(gzip.compress(document, mtime=0)).decode()

    @classmethod
    def from_transport(cls, s: str) -> SerializationSettings:
        """Read what :attr:`serialized_context` wrote."""
        document: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(s)))
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> SerializationSettings:
        """Read settings from their JSON form; unknown keys are left out."""
        known = {field.name for field in dataclasses.fields(cls)}
        values = {key: value for key, value in document.items() if key in known}
        values["image_config"] = _images(document.get("image_config") or {})
        if values.get("fast_serialization_settings"):
            values["fast_serialization_settings"] = FastSerializationSettings(**values["fast_serialization_settings"])
        if values.get("default_resources"):
            spec = values["default_resources"]
            values["default_resources"] = ResourceSpec(Resources(**spec["requests"]), Resources(**spec["limits"]))
        return cls(**values)

    @classmethod
    def for_image(
        cls,
        image: str,
        version: str,
        project: str = "",
        domain: str = "",
        python_interpreter_path: str = DEFAULT_PYTHON,
    ) -> SerializationSettings:
        """Return settings for one image."""
        return cls(
            image_config=ImageConfig.auto(img_name=image),
            project=project,
            domain=domain,
            version=version,
            python_interpreter=python_interpreter_path,
        )

    def new_builder(self) -> SerializationSettings:
        """Return these settings: they are immutable, and ``dataclasses.replace`` makes others."""
        return self

    def build(self) -> SerializationSettings:
        """Return these settings."""
        return self


def _images(document: dict[str, Any]) -> ImageConfig:
    first = document.get("default_image")
    return ImageConfig(
        default_image=Image(**first) if first else None,
        images=[Image(**each) for each in document["images"]] if document.get("images") else None,
    )
