"""Loads plugins to see whether they work, for commands that then say so in their own words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from flyte_core.errors import ConfigError, FlyteError, PluginError
from flyte_core.plugins import PluginManager, PluginRecord


def load(manager: PluginManager, record: PluginRecord) -> str:
    """Load one plugin, unless it is out of use; return what is wrong, empty if nothing is."""
    if record.reason:
        return ""
    with silent():
        try:
            for name in record.metadata.task_types:
                manager.task_type(name)
            if record.metadata.event_sinks:
                manager.event_sinks()
        except (PluginError, ConfigError) as error:
            return str(error)
        except FlyteError as error:
            return f"plugin {record.metadata.name!r}: {error}"
    return record.reason


@contextmanager
def silent() -> Iterator[None]:
    """Keep warnings out of the log: what loads a plugin here says itself what is wrong with it."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
