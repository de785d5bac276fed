"""CPU, memory and other resources of a container: node override, then task or pod, then the platform's defaults; none
above the platform's limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from flyteidl.core.tasks_pb2 import Container, Resources

from flyte_core.errors import InvalidInput
from flyte_core.quantities import parse_quantity
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig

GPU = "gpu"
"""Stands for the configured name of a GPU until the container is finished."""
PLATFORM_GPU = "nvidia.com/gpu"
"""What the platform's limits call a GPU."""
NAMES = {
    Resources.CPU: "cpu",
    Resources.GPU: GPU,
    Resources.MEMORY: "memory",
    Resources.EPHEMERAL_STORAGE: "ephemeral-storage",
    Resources.STORAGE: "storage",
}
ALWAYS = ("cpu", "memory")
"""Resources that a container gets though nobody asked for them."""


def container_entries(container: Container) -> dict[str, dict[str, str]]:
    """Return what a task's container asks for, as Kubernetes writes it."""
    return {
        "requests": _entries(container.resources.requests),
        "limits": _entries(container.resources.limits),
    }


def _entries(entries: Sequence[Resources.ResourceEntry]) -> dict[str, str]:
    values: dict[str, str] = {}
    for entry in entries:
        if entry.name not in NAMES:
            known = ", ".join(Resources.ResourceName.Name(name) for name in NAMES)
            raise InvalidInput(f"resource {entry.name} is none of {known}", field="container.resources")
        values[NAMES[entry.name]] = entry.value
    return values


def with_defaults(container: Mapping[str, Any], ctx: TaskContext, config: PodConfig) -> dict[str, dict[str, str]]:
    """Return the primary container's resources.

    A missing request is the limit and a missing limit the request; CPU and memory that nobody asked for are the
    platform's defaults. A request above its limit is lowered to it.
    """
    name = str(container.get("name"))
    requests = {**_given(container, "requests"), **_texts(ctx.overrides.get("requests"), "requests")}
    limits = {**_given(container, "limits"), **_texts(ctx.overrides.get("limits"), "limits")}
    requests, limits = ({_named(key, config): value for key, value in each.items()} for each in (requests, limits))
    requests, limits = (_without_zeros(each, name) for each in (requests, limits))
    defaults = {"cpu": config.default_cpus, "memory": config.default_memory, **ctx.platform_resources.requests}
    for key in ALWAYS:
        if key not in requests and key not in limits and defaults.get(key):
            requests[key] = defaults[key]
    for key in (*requests, *limits):
        requests.setdefault(key, limits.get(key, ""))
        limits.setdefault(key, requests[key])
    return _within(requests, limits, ctx, config.gpu_resource_name, name)


def capped(container: Mapping[str, Any], ctx: TaskContext) -> dict[str, dict[str, str]]:
    """Return the resources of another container than the primary: as it gave them, none above the platform's limits."""
    requests, limits = _given(container, "requests"), _given(container, "limits")
    return _within(requests, limits, ctx, PLATFORM_GPU, str(container.get("name")))


def _given(container: Mapping[str, Any], key: str) -> dict[str, str]:
    resources = container.get("resources") or {}
    if not isinstance(resources, Mapping):
        raise InvalidInput(f"resources of container {container.get('name')!r} must be a mapping", field="resources")
    return _texts(resources.get(key), key)


def _texts(values: Any, key: str) -> dict[str, str]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InvalidInput(f"resources.{key} must be a mapping", field=f"resources.{key}")
    return {str(name): str(value) for name, value in values.items()}


def _named(key: str, config: PodConfig) -> str:
    return config.gpu_resource_name if key == GPU else key


def _without_zeros(values: Mapping[str, str], container: str) -> dict[str, str]:
    """Return what is asked for: zero is upstream's way to say nothing."""
    return {key: value for key, value in values.items() if value and _number(value, key, container)}


def _within(
    requests: dict[str, str], limits: dict[str, str], ctx: TaskContext, gpu: str, container: str
) -> dict[str, dict[str, str]]:
    for name, cap in ctx.platform_resources.limits.items():
        key = gpu if name == PLATFORM_GPU else name
        for values in (requests, limits):
            if key in values and _number(values[key], key, container) > _number(cap, key, "platform limits"):
                values[key] = cap
    for key in requests:
        number = _number(requests[key], key, container)
        if key in limits and number > _number(limits[key], key, container):
            requests[key] = limits[key]
    return {key: dict(sorted(values.items())) for key, values in (("limits", limits), ("requests", requests)) if values}


@lru_cache(maxsize=1024)
def _parsed(value: str) -> Decimal:
    return parse_quantity(value)


def _number(value: str, key: str, where: str) -> Decimal:
    try:
        return _parsed(value)
    except InvalidInput as error:
        raise InvalidInput(f"{key} of {where}: {error}", field="resources") from error
