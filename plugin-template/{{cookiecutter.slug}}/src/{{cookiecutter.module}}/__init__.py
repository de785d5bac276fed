"""{{ cookiecutter.description }}"""

from __future__ import annotations

from collections.abc import Sequence

from flyte_core.errors import ConfigError
from flyte_core.hookspecs import PluginContext, hookimpl
from flyte_core.task_types import TaskType

from {{ cookiecutter.module }}.task_type import {{ cookiecutter.class_name }}

SETTINGS = frozenset({"greeting"})
"""Keys that ``plugins.{{ cookiecutter.name }}`` may have."""


class Plugin:
    """What the entry point names."""

    @hookimpl
    def flyte_task_types(self, ctx: PluginContext) -> Sequence[TaskType]:
        """Return the task types, made from the plugin's section of the configuration."""
        unknown = sorted(set(ctx.config) - SETTINGS)
        if unknown:
            raise ConfigError(f"plugins.{{ cookiecutter.name }} has no key {unknown[0]!r}; keys are {', '.join(sorted(SETTINGS))}")
        return [{{ cookiecutter.class_name }}(greeting=str(ctx.config.get("greeting", "hello")))]


plugin = Plugin()
