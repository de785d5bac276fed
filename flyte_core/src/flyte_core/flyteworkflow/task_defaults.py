"""Resources of containers that state none or too much: the platform's defaults and limits (upstream's rule).

A missing request becomes the limit, else the platform's default; a missing limit becomes the request; neither exceeds
the platform's limit. GPU, storage and ephemeral storage appear only where somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping

from flyteidl.core.compiler_pb2 import CompiledWorkflowClosure
from flyteidl.core.tasks_pb2 import Container, Resources

from flyte_core.quantities import canonical, parse_quantity
from flyte_core.task_types import PlatformResources

_ALWAYS = {Resources.CPU: "cpu", Resources.MEMORY: "memory"}
_WHERE_ASKED = {
    Resources.EPHEMERAL_STORAGE: "ephemeral-storage",
    Resources.STORAGE: "storage",
    Resources.GPU: "nvidia.com/gpu",
}


def with_task_defaults(closure: CompiledWorkflowClosure, platform: PlatformResources) -> CompiledWorkflowClosure:
    """Return a copy of the closure whose containers have complete resources.

    :param platform: quantities by Kubernetes name, ``nvidia.com/gpu`` for GPUs; one that is missing or 0 says nothing
    :raises flyte_core.errors.InvalidInput: if a quantity cannot be read
    """
    completed = CompiledWorkflowClosure()
    completed.CopyFrom(closure)
    for task in completed.tasks:
        if task.template.WhichOneof("target") == "container":
            _complete(task.template.container, platform)
    return completed


def _complete(container: Container, platform: PlatformResources) -> None:
    requests = {entry.name: entry.value for entry in container.resources.requests}
    limits = {entry.name: entry.value for entry in container.resources.limits}
    resources = Resources()
    for number, name in (_ALWAYS | _WHERE_ASKED).items():
        request, limit = _given(requests.get(number)), _given(limits.get(number))
        default = _given(platform.requests.get(name))
        if number in _WHERE_ASKED and request is None and limit is None and default is None:
            continue
        request = request or limit or default or "0"
        limit = limit or request
        ceiling = _given(platform.limits.get(name))
        if ceiling is not None:
            request, limit = _smaller(request, ceiling), _smaller(limit, ceiling)
        resources.requests.add(name=number, value=canonical(_smaller(request, limit)))
        resources.limits.add(name=number, value=canonical(limit))
    container.resources.CopyFrom(resources)


def _given(quantity: str | None) -> str | None:
    return quantity if quantity and parse_quantity(quantity) else None


def _smaller(one: str, other: str) -> str:
    return one if parse_quantity(one) <= parse_quantity(other) else other


def task_resources_json(platform: PlatformResources) -> dict[str, dict[str, str]]:
    """Return ``executionConfig.TaskResources``: every resource under upstream's key, ``"0"`` where nothing is set."""
    return {"Requests": _by_key(platform.requests), "Limits": _by_key(platform.limits)}


def _by_key(quantities: Mapping[str, str]) -> dict[str, str]:
    keys = {
        "CPU": "cpu",
        "Memory": "memory",
        "EphemeralStorage": "ephemeral-storage",
        "Storage": "storage",
        "GPU": "nvidia.com/gpu",
    }
    return {key: canonical(quantities.get(name) or "0") for key, name in keys.items()}
