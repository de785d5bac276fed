"""What a task asks of the machine."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

from flyteidl.core.tasks_pb2 import ExtendedResources, SharedMemory
from flyteidl.core.tasks_pb2 import Resources as ResourcesMessage

from flyte_kit.extras.accelerators import BaseAccelerator

Amount = str | int | float
SHARED_MEMORY_NAME = "flyte-shared-memory"
SHARED_MEMORY_PATH = "/dev/shm"
_NAMES = ("cpu", "mem", "gpu", "ephemeral_storage")
_KUBERNETES_NAMES = {"cpu": "cpu", "mem": "memory", "ephemeral_storage": "ephemeral-storage"}


@dataclass(frozen=True)
class Resources:
    """Amounts in Kubernetes' notation (``"500m"``, ``"2Gi"``).

    As the ``resources`` of a task each may be a pair: request and limit.
    """

    cpu: Amount | tuple[Amount, Amount] | list[Amount] | None = None
    mem: str | int | tuple[str | int, str | int] | list[str | int] | None = None
    gpu: str | int | tuple[str | int, str | int] | list[str | int] | None = None
    ephemeral_storage: str | int | tuple[str | int, str | int] | None = None

    def __post_init__(self) -> None:
        for name in _NAMES:
            _check(name, getattr(self, name))

    def entries(self) -> list[ResourcesMessage.ResourceEntry]:
        """Return the amounts as the wire has them.

        :raises ValueError: if one is a pair
        """
        return [
            ResourcesMessage.ResourceEntry(name=number, value=str(_single(name, getattr(self, name))))
            for name, number in _WIRE
            if getattr(self, name) is not None
        ]

    def by_kubernetes_name(self, gpu_key: str = "nvidia.com/gpu") -> dict[str, Any]:
        """Return the amounts under the names that a pod has for them."""
        names = {**_KUBERNETES_NAMES, "gpu": gpu_key}
        amounts = {name: _single(name, getattr(self, name)) for name in _NAMES}
        return {names[name]: amount for name, amount in amounts.items() if amount is not None}


_WIRE = (
    ("cpu", ResourcesMessage.CPU),
    ("mem", ResourcesMessage.MEMORY),
    ("gpu", ResourcesMessage.GPU),
    ("ephemeral_storage", ResourcesMessage.EPHEMERAL_STORAGE),
)


@dataclass(frozen=True)
class ResourceSpec:
    """Requests and limits."""

    requests: Resources = field(default_factory=Resources)
    limits: Resources = field(default_factory=Resources)

    @classmethod
    def from_multiple_resource(cls, resource: Resources) -> ResourceSpec:
        """Take pairs apart; what is no pair is a request only."""
        requests: dict[str, Any] = {}
        limits: dict[str, Any] = {}
        for name in _NAMES:
            value = getattr(resource, name)
            if isinstance(value, tuple | list):
                requests[name], limits[name] = value
            else:
                requests[name] = value
        return cls(Resources(**requests), Resources(**limits))

    def message(self) -> ResourcesMessage:
        """Return requests and limits as the wire has them."""
        return ResourcesMessage(requests=self.requests.entries(), limits=self.limits.entries())


def _check(name: str, value: object) -> None:
    pair = value if isinstance(value, tuple | list) else (value,)
    if isinstance(value, tuple | list) and len(value) != 2:
        raise ValueError(f"{name} can be one amount, or a pair of request and limit; not {value!r}")
    for each in pair:
        if each is not None and not isinstance(each, str | int | float):
            raise AssertionError(f"{name} must be text or a number, not {each!r}")


def _single(name: str, value: Any) -> Any:
    if isinstance(value, tuple | list):
        raise ValueError(f"{name}={value!r}: a pair is understood in `resources` only, not in requests or limits")  # noqa: TRY004 - as flytekit raises
    return value


def chosen(requests: Resources | None, limits: Resources | None, resources: Resources | None) -> ResourceSpec:
    """Return what a task or an override asks for.

    :raises ValueError: if ``resources`` stands beside one of the others
    """
    if resources is None:
        return ResourceSpec(requests or Resources(), limits or Resources())
    if requests is not None or limits is not None:
        raise ValueError("`resources` can not be used together with `limits` or `requests`: set only `resources`.")
    return ResourceSpec.from_multiple_resource(resources)


def extended_resources(
    accelerator: BaseAccelerator | None, shared_memory: bool | str | None
) -> ExtendedResources | None:
    """Return accelerator and shared memory as the wire has them, None if there is neither."""
    if accelerator is None and not shared_memory:
        return None
    message = ExtendedResources()
    if accelerator is not None:
        message.gpu_accelerator.CopyFrom(accelerator.to_flyte_idl())
    if shared_memory:
        size = shared_memory if isinstance(shared_memory, str) else ""
        message.shared_memory.CopyFrom(
            SharedMemory(mount_name=SHARED_MEMORY_NAME, mount_path=SHARED_MEMORY_PATH, size_limit=size)
        )
    return message


def pod_spec_from_resources(
    primary_container_name: str | None = None,
    requests: Resources | None = None,
    limits: Resources | None = None,
    k8s_gpu_resource_key: str = "nvidia.com/gpu",
) -> Any:
    """Return a ``V1PodSpec`` of one container with these resources; each of the two stands in for a missing other."""
    client = importlib.import_module("kubernetes.client")
    asked = requests.by_kubernetes_name(k8s_gpu_resource_key) if requests else None
    most = limits.by_kubernetes_name(k8s_gpu_resource_key) if limits else None
    wanted = client.V1ResourceRequirements(requests=asked or most, limits=most or asked)
    return client.V1PodSpec(containers=[client.V1Container(name=primary_container_name, resources=wanted)])
