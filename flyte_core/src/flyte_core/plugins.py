"""The plugin manager: dispatches by key to one plugin, loads it alone on first use, keeps the broken out."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pluggy

from flyte_core import hookspecs
from flyte_core.errors import ConfigError, NotFound, PluginError
from flyte_core.events import EventSink
from flyte_core.hookspecs import PROJECT, PluginContext, StorageContext
from flyte_core.plugin_metadata import PluginMetadata, scan
from flyte_core.storage import BlobStore
from flyte_core.task_types import TaskType

LOG = logging.getLogger(__name__)
DISABLED_VARIABLE = "FLYTE_PLUGINS_DISABLED"
KNOWN_PACKAGES = {
    "container": "flyte-plugin-pod",
    "python-task": "flyte-plugin-pod",
    "raw-container": "flyte-plugin-pod",
    "sidecar": "flyte-plugin-pod",
    "spark": "flyte-plugin-spark",
    "hive": "flyte-plugin-hive",
    "aws_batch": "flyte-plugin-batch",
}
"""Task type → package that is known to serve it: what an error tells the user to install."""


class PluginStatus(Enum):
    """What has become of a plugin."""

    AVAILABLE = "available"
    LOADED = "loaded"
    DISABLED = "disabled"
    REFUSED = "refused"
    BROKEN = "broken"


@dataclass(slots=True)
class PluginRecord:
    """A plugin as ``flyte plugins list`` shows it.

    :ivar reason: why it is not used; empty when it is
    """

    metadata: PluginMetadata
    status: PluginStatus = PluginStatus.AVAILABLE
    reason: str = ""
    manager: pluggy.PluginManager | None = None
    task_types: dict[str, TaskType] = field(default_factory=dict)


class PluginManager:
    """Knows the plugins of this process.

    :param config: the section ``plugins``: plugin name → its own section; the key ``disabled`` lists names, the key
        ``task_types`` chooses a plugin by task type where two claim it
    """

    def __init__(self, plugins: Sequence[PluginMetadata], config: Mapping[str, Any] | None = None) -> None:
        self._config = dict(config or {})
        self._records = [PluginRecord(plugin) for plugin in plugins]
        disabled = set(self._config.get("disabled") or ())
        disabled |= {name for name in os.environ.get(DISABLED_VARIABLE, "").split(",") if name}
        for record in self._records:
            if record.metadata.problem:
                record.status, record.reason = PluginStatus.REFUSED, record.metadata.problem
            elif record.metadata.name in disabled:
                record.status, record.reason = (
                    PluginStatus.DISABLED,
                    f"disabled by configuration or {DISABLED_VARIABLE}",
                )
        self._conflicts = self._find_conflicts()
        self._stores: dict[str, BlobStore] = {}

    @classmethod
    def scan(cls, config: Mapping[str, Any] | None = None) -> PluginManager:
        """Look at what is installed; nothing is imported."""
        return cls(scan(), config)

    def plugins(self) -> list[PluginRecord]:
        """Return all plugins, the unusable ones too."""
        return list(self._records)

    def task_type(self, name: str) -> TaskType:
        """Return what runs tasks of this type; its plugin is loaded on first use.

        :raises flyte_core.errors.NotFound: if no usable plugin claims it; says why, and what to install
        :raises flyte_core.errors.PluginError: if its plugin is broken
        """
        record = self._claimant(name)
        if record is None:
            raise NotFound(self.why(name))
        if not record.task_types:
            self._load_task_types(record)
        if name not in record.task_types:
            self._break(record, f"its metadata claims task type {name!r}, but it offers {sorted(record.task_types)}")
            raise PluginError(record.metadata.name, record.reason)
        return record.task_types[name]

    def storage(self, scheme: str) -> BlobStore:
        """Return the store for URLs of this scheme.

        :raises flyte_core.errors.NotFound: if no usable plugin claims it
        :raises flyte_core.errors.PluginError: if its plugin is broken
        """
        scheme = scheme.lower()
        if scheme not in self._stores:
            usable = [r for r in self._records if scheme in r.metadata.schemes and not r.reason]
            if not usable:
                raise NotFound(f"no plugin serves {scheme}:// URLs; installed: {self._names() or 'none'}")
            record = usable[0]
            context = StorageContext(config=self._section(record), scheme=scheme)
            store = self._call(record, "flyte_storage", context)
            if store is None:
                self._break(record, f"its metadata claims {scheme}://, but flyte_storage returned None")
                raise PluginError(record.metadata.name, record.reason)
            self._stores[scheme] = store
        return self._stores[scheme]

    def event_sinks(self) -> list[EventSink]:
        """Return the sinks of all plugins that have any. A broken plugin has none, and is listed with its reason."""
        sinks: list[EventSink] = []
        for record in self._records:
            if record.reason or not record.metadata.event_sinks:
                continue
            try:
                for answer in self._call(record, "flyte_event_sinks", PluginContext(config=self._section(record))):
                    sinks += answer
            except PluginError as error:
                LOG.warning("%s", error)
        return sinks

    def why(self, name: str) -> str:
        """Explain in one or a few lines why a task type or plugin is, or is not, served."""
        for record in self._records:
            if record.metadata.name == name:
                return self._explain(record)
        claimants = [record for record in self._records if name in record.metadata.task_types]
        if name in self._conflicts:
            return self._conflicts[name]
        if claimants:
            return "\n".join(f"task type {name!r}: {self._explain(record)}" for record in claimants)
        package = KNOWN_PACKAGES.get(name)
        hint = f"pip install {package}" if package else "install a package that has it in group flyte.task_types"
        return f"no installed plugin serves task type {name!r}: {hint}; installed plugins: {self._names() or 'none'}"

    # -- inside

    def _names(self) -> str:
        return ", ".join(record.metadata.name for record in self._records)

    def _explain(self, record: PluginRecord) -> str:
        plugin = record.metadata
        who = f"plugin {plugin.name!r} of {plugin.distribution} {plugin.version}"
        if record.reason:
            return f"{who} is {record.status.value}: {record.reason}"
        return f"{who} serves {', '.join((*plugin.task_types, *plugin.schemes, *plugin.event_sinks)) or 'nothing'}"

    def _claimant(self, name: str) -> PluginRecord | None:
        if name in self._conflicts:
            return None
        chosen = (self._config.get("task_types") or {}).get(name)
        for record in self._records:
            if name in record.metadata.task_types and not record.reason and chosen in (None, record.metadata.name):
                return record
        return None

    def _find_conflicts(self) -> dict[str, str]:
        """Return task type → why nobody serves it, where two plugins claim it and the configuration chooses none."""
        claims: dict[str, list[PluginRecord]] = {}
        for record in self._records:
            if not record.reason:
                for name in record.metadata.task_types:
                    claims.setdefault(name, []).append(record)
        chosen = self._config.get("task_types") or {}
        conflicts = {}
        for name, records in claims.items():
            if len(records) > 1 and name not in chosen:
                who = " and ".join(f"{r.metadata.name!r} ({r.metadata.distribution})" for r in records)
                fix = f"choose one with plugins.task_types.{name}, or uninstall one"
                conflicts[name] = f"task type {name!r} is claimed by {who}: {fix}"
        return conflicts

    def _section(self, record: PluginRecord) -> Mapping[str, Any]:
        section = self._config.get(record.metadata.name) or {}
        if not isinstance(section, Mapping):
            raise ConfigError(f"plugins.{record.metadata.name} is no mapping")
        return section

    def _load_task_types(self, record: PluginRecord) -> None:
        for answer in self._call(record, "flyte_task_types", PluginContext(config=self._section(record))):
            for task_type in answer:
                for name in task_type.task_types:
                    record.task_types[name] = task_type

    def _call(self, record: PluginRecord, hook: str, context: PluginContext) -> Any:
        """Load the plugin alone, and call one hook of it."""
        if record.reason:
            raise PluginError(record.metadata.name, record.reason)
        try:
            if record.manager is None:
                record.manager = _loaded(record.metadata)
                record.status = PluginStatus.LOADED
            return getattr(record.manager.hook, hook)(ctx=context)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._break(record, f"{type(error).__name__}: {error}")
            raise PluginError(record.metadata.name, record.reason) from error

    def _break(self, record: PluginRecord, reason: str) -> None:
        LOG.warning("plugin %s is not used: %s", record.metadata.name, reason)
        record.status, record.reason = PluginStatus.BROKEN, reason


def _loaded(plugin: PluginMetadata) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin.entry_point.load(), plugin.name)
    manager.check_pending()
    return manager
