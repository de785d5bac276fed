"""A task type as the host runs it: its shape found out once. The plugin manager has checked id and name limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from flyte_core.cluster import Kind
from flyte_core.errors import PluginError
from flyte_core.task_types import InlineTaskType, RemoteJobTaskType, ResourceTaskType, TaskType

_SHAPES = {"resource": ("build", "observe"), "remote job": ("create", "get", "delete"), "inline": ("run",)}


@dataclass(frozen=True, slots=True)
class Resource:
    """A task type whose work is an object of this kind."""

    plugin_id: str
    name_limit: int
    plugin: ResourceTaskType
    kind: Kind


@dataclass(frozen=True, slots=True)
class Remote:
    """A task type whose work is a job behind an API."""

    plugin_id: str
    name_limit: int
    plugin: RemoteJobTaskType


@dataclass(frozen=True, slots=True)
class Inline:
    """A task type whose work is over within one call."""

    plugin_id: str
    name_limit: int
    plugin: InlineTaskType


Served: TypeAlias = Resource | Remote | Inline


def served(plugin: TaskType) -> Served:
    """Return the task type by its shape.

    :raises flyte_core.errors.PluginError: if it has none of the three or several, or no kind
    """
    try:
        return _served(plugin)
    except PluginError:
        raise
    except BaseException as error:
        raise PluginError(type(plugin).__name__, f"its attributes raise {type(error).__name__}: {error}") from error


def _served(plugin: Any) -> Served:
    plugin_id, name_limit = plugin.plugin_id, plugin.name_limit
    shapes = [shape for shape, hooks in _SHAPES.items() if all(callable(getattr(plugin, hook, None)) for hook in hooks)]
    match shapes:
        case ["resource"]:
            kind = getattr(plugin, "kind", None)
            if not isinstance(kind, Kind):
                raise PluginError(plugin_id, f"kind must be a flyte_core.cluster.Kind, not {kind!r}")
            return Resource(plugin_id, name_limit, cast("ResourceTaskType", plugin), kind)
        case ["remote job"]:
            return Remote(plugin_id, name_limit, cast("RemoteJobTaskType", plugin))
        case ["inline"]:
            return Inline(plugin_id, name_limit, cast("InlineTaskType", plugin))
    wanted = "; or ".join(f"{shape}: {', '.join(hooks)}" for shape, hooks in _SHAPES.items())
    fits = " and ".join(shapes) or "none"
    raise PluginError(plugin_id, f"a task type has the methods of exactly one shape ({wanted}); this one fits {fits}")
