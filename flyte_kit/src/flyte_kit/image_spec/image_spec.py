"""An image as a value: the same fields give the same name. Building it is a hook.

Without a registered builder nothing is built: the name goes to the cluster as it is, and a cluster of processes maps
it to an environment.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from flyte_core.errors import ConfigError
from flyte_kit.core.context_manager import ExecutionMode, FlyteContextManager
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import hashlib
    import pathlib
    from importlib import metadata

    from flyte_kit import sdk_plugins
    from flyte_kit.registration import sources
else:
    pathlib = deferred("pathlib")
    hashlib = deferred("hashlib")
    metadata = deferred("importlib.metadata")
    sdk_plugins = deferred("flyte_kit.sdk_plugins")
    sources = deferred("flyte_kit.registration.sources")

NOOP = "noop"
_NOT_IN_ID = {"pip_secret_mounts", "builder", "runtime_packages"}
_LISTS = (
    "packages",
    "conda_channels",
    "conda_packages",
    "apt_packages",
    "pip_extra_index_url",
    "entrypoint",
    "commands",
    "runtime_packages",
)


@dataclass
class ImageSpec:
    """What an image holds; the fields are flytekit's.

    :ivar name: repository within the registry
    :ivar registry: e.g. ``ghcr.io/me``
    :ivar packages: of Python
    :ivar requirements: path of a requirements file
    :ivar base_image: to start from, an image or another ImageSpec
    :ivar source_root: folder whose code goes into the image
    :ivar source_copy_mode: which of that code (``CopyFileDetection``); that of the imported modules without it
    :ivar copy: files and folders that go into the image
    :ivar tag_format: e.g. ``"{spec_hash}-dev"``
    :ivar runtime_packages: installed when a container starts
    :ivar builder: name of a registered builder; the one of highest priority without it
    """

    name: str = "flytekit"
    python_version: str | None = None
    builder: str | None = None
    source_root: str | None = None
    env: dict[str, str] | None = None
    registry: str | None = None
    packages: list[str] | None = None
    conda_packages: list[str] | None = None
    conda_channels: list[str] | None = None
    requirements: str | None = None
    apt_packages: list[str] | None = None
    cuda: str | None = None
    cudnn: str | None = None
    base_image: str | ImageSpec | None = None
    platform: str | None = None
    pip_index: str | None = None
    pip_extra_index_url: list[str] | None = None
    pip_secret_mounts: list[tuple[str, str]] | None = None
    pip_extra_args: str | None = None
    registry_config: str | None = None
    entrypoint: list[str] | None = None
    commands: list[str] | None = None
    tag_format: str | None = None
    source_copy_mode: Any = None
    copy: list[str] | None = None
    python_exec: str | None = None
    runtime_packages: list[str] | None = None
    builder_options: dict[str, Any] | None = None
    builder_config: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.name = self.name.lower()
        self.registry = self.registry.lower() if self.registry else self.registry
        self.platform = self.platform or "linux/amd64"
        for name in _LISTS:
            value = getattr(self, name)
            if value is not None and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
                raise ValueError(f"{name} must be a list of strings or None")
        if self.builder_options is not None and not isinstance(self.builder_options, dict):
            raise ValueError("builder_options must be a dictionary or None")
        if self.builder is None:
            self.builder = ImageBuildEngine.preferred()

    @property
    def id(self) -> str:
        """Hash of the fields that make the image; where its code comes from is not among them."""
        return _digest(dataclasses.replace(self, source_root=None, source_copy_mode=None))

    @property
    def tag(self) -> str:
        """Hash of the fields and of the files that they name."""
        spec = dataclasses.replace(self)
        if isinstance(spec.base_image, ImageSpec):
            spec = dataclasses.replace(spec, base_image=spec.base_image.image_name())
        if files := self.source_files():
            assert spec.source_root is not None
            code = sources.digest(pathlib.Path(spec.source_root), files)
            spec = dataclasses.replace(spec, source_root=code)
        if spec.copy:
            spec = dataclasses.replace(spec, copy=[_files_digest(spec.copy)])
        if spec.requirements:
            content = pathlib.Path(spec.requirements).read_bytes().strip()
            spec = dataclasses.replace(spec, requirements=hashlib.sha1(content, usedforsecurity=False).hexdigest())
        tag = _digest(dataclasses.replace(spec, registry_config=None)).replace("-", "_")
        return self.tag_format.format(spec_hash=tag) if self.tag_format else tag

    def image_name(self) -> str:
        """Return the name with its tag; the one that its builder gave it, once it is built."""
        name = f"{self.name}:{self.tag}"
        name = f"{self.registry}/{name}" if self.registry else name
        return ImageBuildEngine.real_names.get(name, name)

    def source_files(self) -> list[str]:
        """Return the files of code that go into the image, as paths within ``source_root``."""
        if self.source_root is None:
            return []
        mode = self.source_copy_mode or sources.CopyFileDetection.LOADED_MODULES
        return sources.source_files(pathlib.Path(self.source_root), mode)

    def with_code_of(self, source_root: str | None) -> ImageSpec:
        """Return the image with a program's code in it, as flytekit does where tasks do not fetch their code.

        Nothing changes without a folder, where the image names one itself, or where there is nobody to build it.
        """
        if source_root is None or self.source_root is not None or self.builder is None:
            return self
        return dataclasses.replace(self, source_root=source_root)

    def is_container(self) -> bool:
        """Tell whether this process runs in the image; always so on a local run."""
        state = FlyteContextManager.current_context().execution_state
        if state is not None and state.mode not in {None, ExecutionMode.LOCAL_WORKFLOW_EXECUTION}:
            return os.environ.get("_F_IMG_ID") == self.id
        return True

    def _with(self, name: str, values: Any) -> ImageSpec:
        current: Any = getattr(self, name)
        changed: dict[str, Any] = {}
        if isinstance(values, dict):
            changed[name] = {**(current or {}), **values}
        else:
            changed[name] = [*(current or []), *([values] if isinstance(values, str) else values)]
        return dataclasses.replace(self, **changed)

    def with_commands(self, commands: str | list[str]) -> ImageSpec:
        """Return the image with further build commands."""
        return self._with("commands", commands)

    def with_packages(self, packages: str | list[str]) -> ImageSpec:
        """Return the image with further packages of Python."""
        return self._with("packages", packages)

    def with_apt_packages(self, apt_packages: str | list[str]) -> ImageSpec:
        """Return the image with further packages of the system."""
        return self._with("apt_packages", apt_packages)

    def with_copy(self, src: str | list[str]) -> ImageSpec:
        """Return the image with further files."""
        return self._with("copy", src)

    def with_runtime_packages(self, runtime_packages: list[str]) -> ImageSpec:
        """Return the image with packages that are installed when a container starts."""
        return self._with("runtime_packages", runtime_packages)

    def with_builder_options(self, builder_options: dict[str, Any]) -> ImageSpec:
        """Return the image with further options of its builder."""
        return self._with("builder_options", builder_options)

    def force_push(self) -> ImageSpec:
        """Return the image, to be built even where it is there already."""
        return self._with("builder_options", {"force_push": True})

    @classmethod
    def from_env(cls, *, pinned_packages: list[str] | None = None, **kwargs: Any) -> ImageSpec:
        """Return an image with this interpreter's version, and packages in the versions that are installed here."""
        if kwargs.get("python_version") is not None:
            raise ValueError("python_version can not be used with `from_env`: it is that of this interpreter")
        pinned = [f"{name}=={metadata.version(name)}" for name in pinned_packages or []]
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cls(packages=[*kwargs.pop("packages", []), *pinned], python_version=version, **kwargs)

    def __hash__(self) -> int:
        return hash(self.id)


class ImageSpecBuilder:
    """Builds images; register an instance with :class:`ImageBuildEngine`."""

    def build_image(self, image_spec: ImageSpec) -> str | None:
        """Build and push an image; return its name if it is not ``image_spec.image_name()``."""
        raise NotImplementedError(f"{type(self).__name__}.build_image is missing")

    def should_build(self, image_spec: ImageSpec) -> bool:
        """Tell whether the image is not there yet."""
        return True


class NoOpBuilder(ImageSpecBuilder):
    """Takes the base image as it is, or the name without one: somebody else provides it."""

    def build_image(self, image_spec: ImageSpec) -> str | None:
        """Build nothing."""
        base = image_spec.base_image
        return base.image_name() if isinstance(base, ImageSpec) else base


class BuildOutcome(enum.StrEnum):
    """What became of an image that was asked for."""

    BUILT = "built"
    THERE = "there already"
    NO_BUILDER = "no builder"


@dataclass(frozen=True)
class ImageBuild:
    """An image that this process has asked for.

    :ivar image: its name; the one that its builder gave it where it was built
    :ivar builder: None without a registered one
    """

    image: str
    builder: str | None
    outcome: BuildOutcome


@dataclass(frozen=True)
class _Registered:
    builder: ImageSpecBuilder
    priority: int = field(default=5)


class ImageBuildEngine:
    """The builders of this process."""

    registry: ClassVar[dict[str, _Registered]] = {NOOP: _Registered(NoOpBuilder(), 0)}
    real_names: ClassVar[dict[str, str]] = {}
    builds: ClassVar[dict[str, ImageBuild]] = {}
    """By the name before the build, in order."""

    @classmethod
    def register(cls, builder_type: str, image_spec_builder: ImageSpecBuilder, priority: int = 5) -> None:
        """Take a builder; the one of highest priority builds what names none."""
        cls.registry[builder_type] = _Registered(image_spec_builder, priority)

    @classmethod
    def preferred(cls) -> str | None:
        """Return the builder of highest priority; None if there is only the one that builds nothing."""
        name = max(cls.registry, key=lambda each: cls.registry[each].priority)
        return None if name == NOOP else name

    @classmethod
    def build(cls, image_spec: ImageSpec) -> None:
        """Build an image, unless this process has done so.

        :raises ConfigError: if its builder is not registered
        """
        name = image_spec.image_name()
        if name in cls.builds:
            return
        if isinstance(image_spec.base_image, ImageSpec):
            cls.build(image_spec.base_image)
        outcome = BuildOutcome.NO_BUILDER
        if image_spec.builder is not None:
            builder = cls._builder(image_spec.builder)
            outcome = BuildOutcome.THERE
            if builder.should_build(image_spec):
                outcome = BuildOutcome.BUILT
                real = builder.build_image(image_spec)
                if real:
                    cls.real_names[name] = real
        cls.builds[name] = ImageBuild(cls.real_names.get(name, name), image_spec.builder, outcome)

    @classmethod
    def _builder(cls, name: str) -> ImageSpecBuilder:
        if name not in cls.registry:
            cls.check_builder(name)
            cls.register(name, sdk_plugins.builder_of(sdk_plugins.image_builders()[name]))
        return cls.registry[name].builder

    @classmethod
    def check_builder(cls, name: str) -> None:
        """Return if there is a builder of that name; it is not loaded for that.

        :raises ConfigError: naming those there are
        """
        known = {*cls.registry, *sdk_plugins.image_builders()}
        if name not in known:
            raise ConfigError(
                f"no installed package has an image builder {name!r}; there are {', '.join(sorted(known))}"
            )


def _digest(spec: ImageSpec) -> str:
    known = dataclasses.asdict(
        spec, dict_factory=lambda pairs: {k: v for k, v in pairs if v is not None and k not in _NOT_IN_ID}
    )
    digest = hashlib.md5(str(known).encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _files_digest(paths: list[str]) -> str:
    digest = hashlib.sha256()
    for path in map(pathlib.Path, paths):
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.is_file():
                digest.update(str(each).encode() + b"\0" + each.read_bytes())
    return digest.hexdigest()
