"""The plugin manager: dispatches by key to one plugin, loads it alone on first use, keeps the broken out.

This is a border: whatever a plugin raises, ``SystemExit`` included, becomes the reason why this one is not used.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

import pluggy

from flyte_core import hookspecs
from flyte_core.errors import ConfigError, NotFound, PluginError
from flyte_core.events import EventSink
from flyte_core.hookspecs import PROJECT, PluginContext, StorageContext
from flyte_core.plugin_claims import ClaimKind, contenders, explain_missing
from flyte_core.plugin_metadata import PluginMetadata, scan
from flyte_core.storage import BlobStore
from flyte_core.task_types import TaskType

LOG = logging.getLogger(__name__)
DISABLED_VARIABLE = "FLYTE_PLUGINS_DISABLED"
"""Environment variable with names of plugins that are not to be used, separated by commas; ``*`` for all."""
_SHORTEST_NAME_LIMIT = 8

R = TypeVar("R")


class PluginStatus(Enum):
    """What has become of a plugin."""

    AVAILABLE = "available"
    LOADED = "loaded"
    DISABLED = "disabled"
    REFUSED = "refused"
    BROKEN = "broken"


@dataclass(slots=True)
class PluginRecord:
    """A plugin as ``flyte plugins list`` shows it; changed by its manager only.

    :ivar reason: why it is not used; empty when it is
    :ivar task_types: offered by the plugin, once it is asked for one
    """

    metadata: PluginMetadata
    status: PluginStatus = PluginStatus.AVAILABLE
    reason: str = ""
    manager: pluggy.PluginManager | None = None
    task_types: dict[str, TaskType] | None = None

    def unkept_claim(self, task_type: str) -> str:
        """Say that the loaded plugin does not offer a task type which its metadata claims; empty if all is well."""
        if self.task_types is None or task_type in self.task_types:
            return ""
        offered = ", ".join(sorted(self.task_types)) or "none"
        return f"its metadata claims task type {task_type!r}, but it offers {offered}"

    def describe(self) -> str:
        """Return one line for people: whose plugin it is, and what it serves or why it does not."""
        plugin = self.metadata
        who = f"plugin {plugin.name!r} of {plugin.distribution} {plugin.version}"
        if self.reason:
            return f"{who} is {self.status.value}: {self.reason}"
        schemes = (f"{scheme}://" for scheme in plugin.schemes)
        return f"{who} serves {', '.join((*plugin.task_types, *schemes, *plugin.event_sinks)) or 'nothing'}"


@dataclass(slots=True)
class _Cache:
    stores: dict[str, BlobStore] = field(default_factory=dict)
    sinks: list[EventSink] | None = None


class PluginManager:
    """Knows the plugins of this process.

    :param config: the section ``plugins``: plugin name → its own section; the key ``disabled`` lists names, the keys
        ``task_types`` and ``storage`` choose a plugin by task type or URL scheme where two claim the same
    :raises flyte_core.errors.ConfigError: if one of these three keys has the wrong shape
    """

    def __init__(self, plugins: Sequence[PluginMetadata], config: Mapping[str, Any] | None = None) -> None:
        self._config = dict(config or {})
        self._choices = {kind: _choices(self._config, kind) for kind in ClaimKind}
        self._records = [PluginRecord(plugin) for plugin in plugins]
        self._cache = _Cache()
        self._lock = threading.RLock()
        disabled = _disabled(self._config)
        for record in self._records:
            if record.metadata.name in disabled or "*" in disabled:
                reason = f"disabled by plugins.disabled or {DISABLED_VARIABLE}"
                record.status, record.reason = PluginStatus.DISABLED, reason
            elif record.metadata.problem:
                record.status, record.reason = PluginStatus.REFUSED, record.metadata.problem

    @classmethod
    def scan(cls, config: Mapping[str, Any] | None = None) -> PluginManager:
        """Look at what is installed; nothing is imported."""
        return cls(scan(), config)

    def plugins(self) -> list[PluginRecord]:
        """Return all plugins, the unusable ones too."""
        return list(self._records)

    def config(self, name: str) -> Mapping[str, Any]:
        """Return a plugin's own section of the configuration, empty if there is none.

        :raises flyte_core.errors.ConfigError: if it is not a mapping
        """
        section = self._config.get(name) or {}
        if not isinstance(section, Mapping):
            raise ConfigError(f"plugins.{name} must be a mapping, not {type(section).__name__}")
        return section

    def task_type(self, name: str) -> TaskType:
        """Return what runs tasks of this type; its plugin is loaded on first use.

        :raises flyte_core.errors.NotFound: if no usable plugin claims it; says why, and what to install
        :raises flyte_core.errors.ConfigError: if several claim it and the configuration does not choose one of them
        :raises flyte_core.errors.PluginError: if its plugin is broken
        """
        with self._lock:
            record = self._claimant(ClaimKind.TASK_TYPE, name)
            if record.task_types is None:
                context = PluginContext(config=self.config(record.metadata.name))
                record.task_types = self._guarded(record, lambda: _task_types(record, context))
            if name not in record.task_types:
                raise PluginError(record.metadata.name, record.unkept_claim(name))
            return record.task_types[name]

    def storage(self, scheme: str) -> BlobStore:
        """Return the store for URLs of this scheme; one per process.

        :raises flyte_core.errors.NotFound: if no usable plugin claims it
        :raises flyte_core.errors.ConfigError: if several claim it and the configuration does not choose one of them
        :raises flyte_core.errors.PluginError: if its plugin is broken
        """
        scheme = scheme.lower()
        with self._lock:
            if scheme not in self._cache.stores:
                record = self._claimant(ClaimKind.STORAGE, scheme)
                context = StorageContext(config=self.config(record.metadata.name), scheme=scheme)
                store = self._guarded(record, lambda: _hook(record).flyte_storage(ctx=context))
                if store is None:
                    message = f"its metadata claims {scheme}:// URLs, but flyte_storage returned None"
                    raise PluginError(record.metadata.name, message)
                self._cache.stores[scheme] = store
            return self._cache.stores[scheme]

    def event_sinks(self) -> list[EventSink]:
        """Return the sinks of all plugins that claim any. A broken plugin has none, and is listed with its reason."""
        with self._lock:
            if self._cache.sinks is None:
                self._cache.sinks = []
                for record in self._records:
                    if record.metadata.event_sinks and not record.reason:
                        self._cache.sinks += self._sinks_of(record)
            return list(self._cache.sinks)

    def _sinks_of(self, record: PluginRecord) -> list[EventSink]:
        try:
            context = PluginContext(config=self.config(record.metadata.name))
            return self._guarded(record, lambda: _sinks(record, context))
        except (PluginError, ConfigError) as error:
            LOG.warning("event sinks of plugin %s are not used: %s", record.metadata.name, error)
            return []

    def why(self, name: str) -> str:
        """Explain in one or a few lines why a plugin, task type or URL scheme is, or is not, served."""
        named = [record.describe() for record in self._records if record.metadata.name == name]
        if named:
            return "\n".join(named)
        scheme = name.lower().removesuffix("://")
        is_scheme = any(scheme in record.metadata.schemes for record in self._records)
        kind, key = (ClaimKind.STORAGE, scheme) if is_scheme else (ClaimKind.TASK_TYPE, name)
        try:
            record = self._claimant(kind, key)
        except PluginError as error:
            return f"{kind.value} {key!r}: {error}"
        except (NotFound, ConfigError) as error:
            return str(error)
        unkept = record.unkept_claim(key) if kind is ClaimKind.TASK_TYPE else ""
        return f"{kind.value} {key!r}: {unkept or record.describe()}"

    def _claimant(self, kind: ClaimKind, key: str) -> PluginRecord:
        """Return the one plugin that serves a key.

        A broken plugin goes on claiming: what another one would make of its tasks is not for chance to decide.
        """
        claiming = [record for record in self._records if key in kind.claims(record.metadata)]
        open_to = [r for r in claiming if r.status not in (PluginStatus.DISABLED, PluginStatus.REFUSED)]
        chosen = self._choices[kind].get(key)
        if chosen is not None:
            open_to = [record for record in open_to if record.metadata.name == chosen]
            if not open_to:
                raise ConfigError(f"{kind.setting(key)} is {chosen!r}, but {contenders(kind, key, claiming)}")
        if len(open_to) > 1:
            raise ConfigError(
                f"{contenders(kind, key, open_to)}: choose one with {kind.setting(key)}, or uninstall one"
            )
        if not open_to:
            raise NotFound(explain_missing(kind, key, claiming, self._records))
        record = open_to[0]
        if record.reason:
            raise PluginError(record.metadata.name, record.reason)
        return record

    def _guarded(self, record: PluginRecord, action: Callable[[], R]) -> R:
        """Run plugin code, loading the plugin first; whatever it raises breaks this plugin only."""
        try:
            if record.manager is None:
                record.manager = _loaded(record.metadata)
                record.status = PluginStatus.LOADED
            return action()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            record.status, record.reason = PluginStatus.BROKEN, f"{type(error).__name__}: {error}"
            LOG.warning("plugin %s is not used: %s", record.metadata.name, record.reason, exc_info=error)
            raise PluginError(record.metadata.name, record.reason) from error


def _disabled(config: Mapping[str, Any]) -> set[str]:
    listed = config.get("disabled") or ()
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        raise ConfigError("plugins.disabled must be a list of plugin names")
    from_environment = (name.strip() for name in os.environ.get(DISABLED_VARIABLE, "").split(","))
    return {str(name) for name in listed} | {name for name in from_environment if name}


def _choices(config: Mapping[str, Any], kind: ClaimKind) -> Mapping[str, str]:
    chosen = config.get(kind.section) or {}
    if not isinstance(chosen, Mapping):
        raise ConfigError(f"plugins.{kind.section} must map each {kind.value} to a plugin name")
    return chosen


def _loaded(plugin: PluginMetadata) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    if plugin.entry_point is None:
        raise PluginError(plugin.name, "it has no entry point")
    manager.register(plugin.entry_point.load(), plugin.name)
    manager.check_pending()
    return manager


def _hook(record: PluginRecord) -> Any:
    return record.manager.hook if record.manager is not None else None


def _task_types(record: PluginRecord, context: PluginContext) -> dict[str, TaskType]:
    """Return what the plugin offers, by task type; what is malformed raises, within the border."""
    offered: dict[str, TaskType] = {}
    for answer in _hook(record).flyte_task_types(ctx=context):
        for task_type in answer:
            if not task_type.plugin_id or task_type.name_limit < _SHORTEST_NAME_LIMIT:
                raise ValueError(f"{task_type!r} needs a plugin_id and a name_limit of {_SHORTEST_NAME_LIMIT} or more")
            for name in task_type.task_types:
                if name in offered:
                    raise ValueError(f"it offers task type {name!r} twice")
                offered[name] = task_type
    return offered


def _sinks(record: PluginRecord, context: PluginContext) -> list[EventSink]:
    sinks = [sink for answer in _hook(record).flyte_event_sinks(ctx=context) for sink in answer]
    for sink in sinks:
        if not sink.name or not callable(sink.publish):
            raise ValueError(f"{sink!r} needs a name and a method publish")
    return sinks
