"""Installed packages that extend the SDK: found by their entry points, imported when they are needed."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from flyte_core.errors import PluginError
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    from importlib import metadata

    import pluggy

    from flyte_kit.core.type_transformer import TypeTransformer
    from flyte_kit.image_spec.image_spec import ImageSpecBuilder
else:
    pluggy = deferred("pluggy")
    metadata = deferred("importlib.metadata")

TYPES = "flyte.types"
IMAGE_BUILDERS = "flyte.image_builders"


@functools.cache
def type_plugins() -> dict[str, list[metadata.EntryPoint]]:
    """Return the plugins of types by the library that they are for."""
    found: dict[str, list[metadata.EntryPoint]] = {}
    for point in metadata.entry_points(group=TYPES):
        found.setdefault(point.name, []).append(point)
    return found


@functools.cache
def image_builders() -> dict[str, metadata.EntryPoint]:
    """Return the plugins that build images, by the builder's name."""
    return {point.name: point for point in metadata.entry_points(group=IMAGE_BUILDERS)}


def transformers_of(point: metadata.EntryPoint) -> list[TypeTransformer[Any]]:
    """Return the transformers of a plugin.

    :raises PluginError: if it breaks; names its package
    """
    hooks = _hooks(point)
    try:
        return [each for several in hooks.flyte_type_transformers() for each in several]
    except Exception as error:  # the border to foreign code: its fault gets its name
        raise _broken(point, error) from error


def builder_of(point: metadata.EntryPoint) -> ImageSpecBuilder:
    """Return the builder of a plugin.

    :raises PluginError: if it breaks, or has none of that name; names its package
    """
    hooks = _hooks(point)
    try:
        found: ImageSpecBuilder | None = hooks.flyte_image_builder(name=point.name)
    except Exception as error:  # the border to foreign code: its fault gets its name
        raise _broken(point, error) from error
    if found is None:
        raise PluginError(point.name, f"{_package(point)} names this image builder and returns none")
    return found


def _hooks(point: metadata.EntryPoint) -> Any:
    hookspecs = importlib.import_module("flyte_kit.hookspecs")
    manager = pluggy.PluginManager(importlib.import_module("flyte_core.hookspecs").PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(point.load())
        manager.check_pending()
    except Exception as error:  # the border to foreign code: its fault gets its name
        raise _broken(point, error) from error
    return manager.hook


def _broken(point: metadata.EntryPoint, error: Exception) -> PluginError:
    return PluginError(point.name, f"{_package(point)} ({point.group}) is broken: {type(error).__name__}: {error}")


def _package(point: metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
