"""Where a pod may run: tolerations, node selection, accelerators; and its shared memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flyteidl.core.tasks_pb2 import ExtendedResources, GPUAccelerator, SharedMemory
from google.protobuf.message import DecodeError

from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig


def place(spec: dict[str, Any], ctx: TaskContext, config: PodConfig, primary: str) -> None:
    """Add to the pod's spec what its place depends on."""
    extended = extended_resources(ctx)
    asked = _resource_names(spec)
    accelerator = extended.gpu_accelerator if config.gpu_resource_name in asked else GPUAccelerator()
    tolerations = [
        *(toleration for name in sorted(asked) for toleration in config.resource_tolerations.get(name, ())),
        *(config.interruptible_tolerations if ctx.interruptible else ()),
        *config.default_tolerations,
        *_accelerator_tolerations(accelerator, config),
    ]
    if tolerations:
        spec["tolerations"] = [*(spec.get("tolerations") or []), *map(dict, tolerations)]
    selector = {**config.default_node_selector, **(spec.get("nodeSelector") or {})}
    if ctx.interruptible:
        selector.update(config.interruptible_node_selector)
    if selector:
        spec["nodeSelector"] = selector
    _require(spec, _requirements(ctx, config, accelerator))
    if extended.HasField("shared_memory"):
        _share_memory(spec, extended.shared_memory, primary)


def extended_resources(ctx: TaskContext) -> ExtendedResources:
    """Return the node's extended resources, the task's where the node has none."""
    if not ctx.extended_resources:
        return ctx.template.extended_resources
    try:
        return ExtendedResources.FromString(ctx.extended_resources)
    except DecodeError as error:
        raise InvalidInput(
            f"the node's extended resources cannot be read: {error}", field="extended_resources"
        ) from error


def _resource_names(spec: Mapping[str, Any]) -> set[str]:
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return {
        name
        for container in containers
        for values in (container.get("resources") or {}).values()
        if isinstance(values, Mapping)
        for name in values
    }


def _requirements(ctx: TaskContext, config: PodConfig, accelerator: GPUAccelerator) -> Iterable[Mapping[str, Any]]:
    kind = (
        config.interruptible_node_selector_requirement
        if ctx.interruptible
        else config.non_interruptible_node_selector_requirement
    )
    if kind:
        yield kind
    if accelerator.device:
        yield {"key": config.gpu_device_node_label, "operator": "In", "values": [accelerator.device]}
    match accelerator.WhichOneof("partition_size_value"):
        case "unpartitioned" if accelerator.unpartitioned:
            yield {"key": config.gpu_partition_size_node_label, "operator": "DoesNotExist"}
        case "partition_size":
            size = accelerator.partition_size
            yield {"key": config.gpu_partition_size_node_label, "operator": "In", "values": [size]}


def _accelerator_tolerations(accelerator: GPUAccelerator, config: PodConfig) -> Iterable[Mapping[str, Any]]:
    values = {
        config.gpu_device_node_label: accelerator.device,
        config.gpu_partition_size_node_label: accelerator.partition_size,
    }
    for key, value in values.items():
        if value:
            yield {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"}


def _require(spec: dict[str, Any], requirements: Iterable[Mapping[str, Any]]) -> None:
    """Add the requirements to each of the pod's node selector terms: any term may hold, and each must."""
    wanted = [dict(requirement) for requirement in requirements]
    if not wanted:
        return
    affinity = dict(spec.get("affinity") or {})
    node = dict(affinity.get("nodeAffinity") or {})
    required = dict(node.get("requiredDuringSchedulingIgnoredDuringExecution") or {})
    terms = required.get("nodeSelectorTerms") or [{}]
    required["nodeSelectorTerms"] = [
        {**term, "matchExpressions": [*(term.get("matchExpressions") or []), *wanted]} for term in terms
    ]
    node["requiredDuringSchedulingIgnoredDuringExecution"] = required
    spec["affinity"] = {**affinity, "nodeAffinity": node}


def _share_memory(spec: dict[str, Any], wanted: SharedMemory, primary: str) -> None:
    name, path = wanted.mount_name or "flyte-shared-memory", wanted.mount_path or "/dev/shm"
    if any(volume.get("name") == name for volume in spec.get("volumes") or ()):
        raise InvalidInput(
            f"shared memory: the pod has a volume {name!r} already", field="extended_resources.shared_memory"
        )
    volume: dict[str, Any] = {"medium": "Memory"}
    if wanted.size_limit:
        volume["sizeLimit"] = wanted.size_limit
    spec["volumes"] = [*(spec.get("volumes") or []), {"name": name, "emptyDir": volume}]
    for container in spec["containers"]:
        if container["name"] == primary:
            mounts = container.get("volumeMounts") or []
            if any(mount.get("mountPath") == path for mount in mounts):
                text = f"shared memory: container {primary!r} mounts something at {path!r} already"
                raise InvalidInput(text, field="extended_resources.shared_memory")
            container["volumeMounts"] = [*mounts, {"name": name, "mountPath": path}]
