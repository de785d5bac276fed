"""Container images: the default one, named ones, and the templates that refer to them."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from typing import Any

from flyte_core.errors import InvalidInput
from flyte_kit.configuration.sources import Sources, find_file
from flyte_kit.core.constants import WIRE_VERSION

DEFAULT_IMAGE_NAME = "default"
_TEMPLATE = re.compile(r"{{\s*\.images?\.([a-zA-Z0-9_-]+)(?:\.([a-zA-Z0-9_-]+))?\s*}}", re.IGNORECASE)


def default_image_tag() -> str:
    """Return the image that runs tasks when nobody names one; ``FLYTE_INTERNAL_IMAGE`` replaces it."""
    version = f"py{sys.version_info.major}.{sys.version_info.minor}-{WIRE_VERSION}"
    return os.environ.get("FLYTE_INTERNAL_IMAGE") or f"cr.flyte.org/flyteorg/flytekit:{version}"


@dataclass(frozen=True)
class Image:
    """A container image.

    :ivar name: by which ``{{.image.<name>.fqn}}`` refers to it
    :ivar fqn: registry and repository
    :ivar tag: e.g. ``v1``; None with a digest
    :ivar digest: e.g. ``sha256:…``
    """

    name: str
    fqn: str
    tag: str | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        if self.tag is None and self.digest is None:
            raise InvalidInput(f"image {self.name}: give a tag or a digest", field="image")

    @property
    def full(self) -> str:
        """Repository with tag or digest."""
        return f"{self.fqn}@{self.digest}" if self.digest else f"{self.fqn}:{self.tag}"

    @property
    def version(self) -> str:
        """Tag or digest."""
        return self.digest or self.tag or ""

    @staticmethod
    def look_up_image_info(name: str, image_identifier: str, allow_no_tag_or_digest: bool = False) -> Image:
        """Take an image's text apart.

        :raises InvalidInput: if it has neither tag nor digest and none may be missing
        """
        fqn, at, digest = image_identifier.partition("@")
        if at:
            return Image(name, fqn, digest=digest)
        head, colon, tag = image_identifier.rpartition(":")
        if colon and "/" not in tag:
            return Image(name, head, tag=tag)
        if not allow_no_tag_or_digest:
            raise InvalidInput(f"image {image_identifier!r} has no tag: write {image_identifier}:<tag>", field="image")
        return Image(name, image_identifier, tag="latest")


@dataclass(frozen=True)
class ImageConfig:
    """The images of a registration.

    :ivar default_image: runs tasks that name none
    :ivar images: those that templates and image specifications refer to
    """

    default_image: Image | None = None
    images: list[Image] | None = field(default=None)

    @staticmethod
    def auto(config_file: str | os.PathLike[str] | None = None, img_name: str | None = None) -> ImageConfig:
        """Return a default image and the images of the configuration file's section ``images``.

        :param config_file: found as :meth:`Config.auto` finds it, if none is given
        :param img_name: the default image; without it that of the file, else the SDK's own
        :raises ConfigError: if a file that somebody named cannot be read
        """
        named = {
            name: str(text) for name, text in Sources(find_file(config_file), os.environ).section("images").items()
        }
        first = img_name or named.get(DEFAULT_IMAGE_NAME) or default_image_tag()
        return ImageConfig.from_images(first, {key: text for key, text in named.items() if key != DEFAULT_IMAGE_NAME})

    @staticmethod
    def auto_default_image() -> ImageConfig:
        """Return the SDK's own default image."""
        return ImageConfig.auto()

    @staticmethod
    def from_images(default_image: str, m: dict[str, str] | None = None) -> ImageConfig:
        """Return a default image and named ones from their texts."""
        first = Image.look_up_image_info(DEFAULT_IMAGE_NAME, default_image)
        named = [Image.look_up_image_info(name, text) for name, text in (m or {}).items()]
        return ImageConfig(default_image=first, images=[first, *named])

    @staticmethod
    def create_from(default_image: Image, other_images: list[Image] | None = None) -> ImageConfig:
        """Return a default image and others."""
        return ImageConfig(default_image=default_image, images=[default_image, *(other_images or [])])

    @staticmethod
    def validate_image(values: tuple[str, ...]) -> ImageConfig:
        """Read the values of ``--image`` options: ``text`` for the default one, ``name=text`` for others.

        :raises InvalidInput: if two say the same name
        """
        named: dict[str, str] = {}
        for value in values:
            name, _, text = value.partition("=") if "=" in value else (DEFAULT_IMAGE_NAME, "=", value)
            if name in named:
                raise InvalidInput(f"--image: two images are named {name!r}", field="image")
            named[name] = text
        first = named.pop(DEFAULT_IMAGE_NAME, None) or default_image_tag()
        return ImageConfig.from_images(first, named)

    def find_image(self, name: str) -> Image | None:
        """Return the image of that name."""
        if name == DEFAULT_IMAGE_NAME and self.default_image is not None:
            return self.default_image
        return next((image for image in self.images or () if image.name == name), None)


def resolve_templates(text: str, config: ImageConfig) -> str:
    """Replace ``{{.image.<name>}}``, ``….fqn}}`` and ``….version}}`` in an image.

    :raises InvalidInput: naming the image that the configuration does not have
    """

    def found(match: re.Match[str]) -> str:
        name, attribute = match[1], (match[2] or "").lower()
        image = config.find_image(name)
        if image is None:
            raise InvalidInput(f"{text}: the configuration has no image named {name!r}", field="container_image")
        parts: dict[str, Any] = {"": image.full, "fqn": image.fqn, "version": image.version}
        if attribute not in parts:
            raise InvalidInput(f"{text}: only fqn and version can follow the image's name", field="container_image")
        return str(parts[attribute])

    digest_aware = re.sub(
        r":({{\s*\.images?\.([a-zA-Z0-9_-]+)\.version\s*}})",
        lambda match: "@" + match[1] if _has_digest(config, match[2]) else match[0],
        text,
        flags=re.IGNORECASE,
    )
    return _TEMPLATE.sub(found, digest_aware)


def named_images(text: str) -> list[str]:
    """Return the names of the configuration's images that an image's text refers to."""
    return [match[1] for match in _TEMPLATE.finditer(text)]


def _has_digest(config: ImageConfig, name: str) -> bool:
    image = config.find_image(name)
    return image is not None and image.digest is not None
