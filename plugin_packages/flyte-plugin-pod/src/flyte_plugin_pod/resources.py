"""CPU, memory and other resources of a container: node override, task, platform default; capped by the platform."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flyteidl.core.tasks_pb2 import Container, Resources

from flyte_core.errors import InvalidInput
from flyte_core.task_types import PlatformResources

NAMES = {
    Resources.CPU: "cpu",
    Resources.GPU: "nvidia.com/gpu",
    Resources.MEMORY: "memory",
    Resources.EPHEMERAL_STORAGE: "ephemeral-storage",
    Resources.STORAGE: "storage",
}
GPU = "nvidia.com/gpu"
_QUANTITY = re.compile(r"([0-9.]+)([a-zA-Z]*)")
_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal(10**3),
    "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
}  # fmt: skip
"""Kubernetes' suffixes of quantities."""


def quantity(text: str, name: str) -> Decimal:
    """Return the number that a Kubernetes quantity means.

    :raises flyte_core.errors.InvalidInput: if it is none
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match.group(2) not in _SUFFIXES or match.group(1).count(".") > 1:
        raise InvalidInput(
            f"resource {name}: {text!r} is no quantity, such as 500m or 2Gi", field="container.resources"
        )
    return Decimal(match.group(1)) * _SUFFIXES[match.group(2)]


def container_resources(
    container: Container, overrides: Mapping[str, Any], platform: PlatformResources
) -> dict[str, dict[str, str]]:
    """Return ``resources`` of the container's spec.

    A missing request is the limit and a missing limit the request; both come from the platform's defaults where
    neither is given, and neither is above the platform's limit.
    """
    requests = _entries(container.resources.requests) | dict(overrides.get("requests") or {})
    limits = _entries(container.resources.limits) | dict(overrides.get("limits") or {})
    for name in ("cpu", "memory", "ephemeral-storage"):
        if name not in requests and name not in limits and name in platform.requests:
            requests[name] = platform.requests[name]
    for name in {*requests, *limits}:
        requests.setdefault(name, limits.get(name, ""))
        limits.setdefault(name, requests[name])
    for name, cap in platform.limits.items():
        for values in (requests, limits):
            if name in values and quantity(values[name], name) > quantity(cap, name):
                values[name] = cap
    for name in requests:
        if quantity(requests[name], name) > quantity(limits[name], name):
            requests[name] = limits[name]
    if not requests:
        return {}
    return {"limits": dict(sorted(limits.items())), "requests": dict(sorted(requests.items()))}


def _entries(entries: Sequence[Resources.ResourceEntry]) -> dict[str, str]:
    values: dict[str, str] = {}
    for entry in entries:
        if entry.name not in NAMES:
            raise InvalidInput(f"resource {entry.name} is unknown", field="container.resources")
        values[NAMES[entry.name]] = entry.value
    return values
