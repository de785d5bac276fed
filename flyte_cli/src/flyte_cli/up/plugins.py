"""The plugins of ``flyte up``: its own settings for them, and those of the configuration file over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyte_cli.plugin_loading import load
from flyte_cli.up.log_pages import TEMPLATE
from flyte_cli.up.settings import UpSettings
from flyte_core.errors import ConfigError
from flyte_core.plugin_metadata import RESERVED_NAMES
from flyte_core.plugins import PluginManager


def open_plugins(settings: UpSettings) -> PluginManager:
    """Look at what is installed, and load at once what the settings speak of, so that mistakes in them are known.

    :raises flyte_core.errors.ConfigError: if a section is of no installed plugin, or its plugin does not take it
    """
    template = TEMPLATE.format(http_url=settings.http_url())
    built_in = {"pod": {"logs": {"kubernetes-template-uri": template}}}
    try:
        manager = PluginManager.scan(merged(built_in, settings.plugins))
        _check(manager, settings.plugins)
    except ConfigError as error:
        raise ConfigError(f"{settings.config_file}: {error}" if settings.config_file else str(error)) from error
    return manager


def _check(manager: PluginManager, sections: Mapping[str, Any]) -> None:
    installed = {record.metadata.name: record for record in manager.plugins()}
    for name in sections:
        if name in RESERVED_NAMES:
            continue
        if name not in installed:
            names = ", ".join(installed) or "none"
            raise ConfigError(f"plugins.{name}: no plugin of that name is installed; installed plugins: {names}")
        if problem := load(manager, installed[name]):
            raise ConfigError(problem)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both mappings in one; where both have a mapping under a key, those are merged, else ``above`` counts."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return result
