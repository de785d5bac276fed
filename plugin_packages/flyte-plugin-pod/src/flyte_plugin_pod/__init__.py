"""Tasks that run in a pod: ``container``, ``python-task``, ``raw-container`` and ``sidecar``."""

from __future__ import annotations

from collections.abc import Sequence

from flyte_core.cluster import POD, Manifest
from flyte_core.hookspecs import PluginContext, hookimpl
from flyte_core.task_types import PhaseInfo, TaskContext, TaskType
from flyte_plugin_pod.build import build_pod
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.observe import observe_pod

CONTAINERS = ("container", "python-task", "raw-container", "sqlite", "eager_failure_handler_task")
"""Task types of flytekit that are a container and nothing else; upstream runs them by its default plugin."""


class PodTaskType:
    """One of the plugin ids that upstream has for pods; all build and read pods the same way."""

    kind = POD
    name_limit = 50

    def __init__(self, plugin_id: str, task_types: Sequence[str], config: PodConfig) -> None:
        self.plugin_id = plugin_id
        self.task_types = task_types
        self._config = config

    def build(self, ctx: TaskContext) -> Manifest:
        """Return the pod; see :func:`flyte_plugin_pod.build.build_pod`."""
        return build_pod(ctx, self._config)

    def observe(self, ctx: TaskContext, resource: Manifest) -> PhaseInfo:
        """Return the phase; see :func:`flyte_plugin_pod.observe.observe_pod`."""
        return observe_pod(ctx, resource, self._config)


class PodPlugin:
    """The plugin: what the entry point names."""

    @hookimpl
    def flyte_task_types(self, ctx: PluginContext) -> Sequence[TaskType]:
        """Return upstream's two plugin ids for pods."""
        config = PodConfig.parse(ctx.config)
        return [
            PodTaskType("container", CONTAINERS, config),
            PodTaskType("sidecar", ("sidecar",), config),
        ]


plugin = PodPlugin()
