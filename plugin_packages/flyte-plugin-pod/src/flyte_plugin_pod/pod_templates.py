"""Merges pod templates: of the configuration beneath a task's pod, of the node above it (upstream's rules)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.draft import Draft, check_containers

DEFAULT, PRIMARY = "default", "primary"
"""Names of containers in a template that stand for every container, and for the primary one."""
_REPLACED = frozenset({"command", "args"})
"""Lists that are one thing: the upper one replaces the lower, others are joined."""
_CONTAINERS = ("containers", "initContainers")


def with_template(draft: Draft, ctx: TaskContext, config: PodConfig) -> Draft:
    """Return the pod over the template that the task names, or the default one.

    :raises flyte_core.errors.InvalidInput: if there is no such template
    """
    name = ctx.template.metadata.pod_template_name or config.default_pod_template_name
    if not name:
        return draft
    template = config.pod_templates.get(name)
    if template is None:
        known = ", ".join(sorted(config.pod_templates)) or "none"
        text = f"there is no pod template {name!r}; plugins.pod.pod-templates has: {known}"
        raise InvalidInput(text, field="metadata.pod_template_name")
    body = template.get("template") or template
    metadata, spec = body.get("metadata") or {}, body.get("spec") or {}
    lower = {key: value for key, value in spec.items() if key not in _CONTAINERS}
    upper = {key: value for key, value in draft.spec.items() if key not in _CONTAINERS}
    merged = merge(lower, upper)
    for key in _CONTAINERS:
        containers = _over(spec.get(key) or [], draft.spec.get(key) or [], draft.primary)
        if containers:
            merged[key] = containers
    return replace(
        draft,
        spec=merged,
        labels={**(metadata.get("labels") or {}), **draft.labels},
        annotations={**(metadata.get("annotations") or {}), **draft.annotations},
    )


def _over(template: list[Any], own: list[Any], primary: str) -> list[dict[str, Any]]:
    """Return the pod's containers over the template's, and after them those that only the template has."""
    by_name = {str(container.get("name")): container for container in template}
    merged = []
    for container in own:
        beneath: dict[str, Any] = {}
        names = [DEFAULT, *([PRIMARY] if container["name"] == primary else []), container["name"]]
        for name in dict.fromkeys(names):
            beneath = merge(beneath, by_name.pop(name, {}) if name not in (DEFAULT, PRIMARY) else by_name.get(name, {}))
        merged.append({**merge(beneath, container), "name": container["name"]})
    return [*merged, *(dict(by_name[name]) for name in by_name if name not in (DEFAULT, PRIMARY))]


def with_node_override(draft: Draft, ctx: TaskContext) -> Draft:
    """Return the pod beneath the pod template that the node gives."""
    given = ctx.pod_template
    if not given:
        return draft
    spec = given.get("podSpec") or given.get("pod_spec") or {}
    metadata = given.get("metadata") or {}
    if not isinstance(spec, dict) or not isinstance(metadata, dict):
        raise InvalidInput("the node's pod template has no readable pod spec", field="pod_template")
    check_containers(spec, "pod_template.pod_spec")
    named = given.get("primaryContainerName") or given.get("primary_container_name") or PRIMARY
    merged = merge(
        {key: value for key, value in draft.spec.items() if key not in _CONTAINERS},
        {key: value for key, value in spec.items() if key not in _CONTAINERS},
    )
    for key in _CONTAINERS:
        containers = _beneath(draft.spec.get(key) or [], spec.get(key) or [], draft.primary, named)
        if containers:
            merged[key] = containers
    return replace(
        draft,
        spec=merged,
        labels={**draft.labels, **(metadata.get("labels") or {})},
        annotations={**draft.annotations, **(metadata.get("annotations") or {})},
    )


def _beneath(own: list[Any], override: list[Any], primary: str, named: str) -> list[dict[str, Any]]:
    upper = {primary if item.get("name") == named else str(item.get("name")): item for item in override}
    merged = [{**merge(item, upper.pop(item["name"], {})), "name": item["name"]} for item in own]
    return [*merged, *({**item, "name": name} for name, item in upper.items())]


def merge(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Return both: mappings merged, lists joined with the lower first, other values of the upper."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(below, value)
        elif isinstance(below, list | tuple) and isinstance(value, list | tuple) and key not in _REPLACED:
            merged[key] = [*below, *value]
        elif value not in (None, "", [], {}) or key not in merged:
            merged[key] = value
    return merged
