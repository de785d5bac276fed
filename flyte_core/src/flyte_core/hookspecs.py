"""The hooks that a plugin may implement. Each takes one context object, so that a new fact breaks no plugin.

A plugin is a module, class or object with functions marked ``@hookimpl``, named by an entry point in the group
``flyte.plugins``. What it claims is metadata too, readable without importing it: the groups ``flyte.task_types``
(entry-point name = task type, value = plugin name), ``flyte.storage`` (name = URL scheme) and ``flyte.event_sinks``
(name = sink).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pluggy

from flyte_core.clock import Clock, SystemClock
from flyte_core.events import EventSink
from flyte_core.storage import BlobStore
from flyte_core.task_types import TaskType

PROJECT = "flyte"
API_VERSION = "0.1.0"
"""Version of this interface; plugins state the range they need as a requirement on flyte-core."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What every hook gets.

    :ivar config: the plugin's own section of the configuration (``plugins.<name>``)
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True, slots=True)
class StorageContext(PluginContext):
    """Context of :func:`flyte_storage`.

    :ivar scheme: URL scheme that is asked for, in lower case (``s3``)
    """

    scheme: str = ""


@hookspec
def flyte_task_types(ctx: PluginContext) -> Sequence[TaskType]:
    """Return the task types of this plugin.

    Called once, when the propeller first meets a task type that the plugin's metadata claims. The result is kept for
    the life of the process; an exception quarantines this plugin only, and every task of its types fails with the
    reason.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def flyte_storage(ctx: StorageContext) -> BlobStore | None:
    """Return a store for ``ctx.scheme``, or None when this plugin does not serve it.

    Called once per scheme and process, by key: only the plugin whose metadata claims the scheme is loaded.
    """
    raise NotImplementedError


@hookspec
def flyte_event_sinks(ctx: PluginContext) -> Sequence[EventSink]:
    """Return sinks for recorded events.

    Called once at the control plane's start, on every plugin that claims a sink. Delivery is at least once per sink;
    one slow or broken sink holds up no other.
    """
    raise NotImplementedError
