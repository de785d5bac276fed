"""The pod as the task's template asks for it, before the platform adds anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flyteidl.core.tasks_pb2 import Container
from google.protobuf.json_format import MessageToDict

from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.container import container_name
from flyte_plugin_pod.copilot import with_copilot
from flyte_plugin_pod.pod_status import PRIMARY
from flyte_plugin_pod.resources import container_entries

RAW_CONTAINER = "raw-container"
SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True)
class Draft:
    """A pod in the making.

    :ivar primary: name of the primary container
    :ivar mark_primary: annotate the pod with it, so that the task is over when this container is
    """

    spec: dict[str, Any]
    labels: dict[str, str]
    annotations: dict[str, str]
    primary: str
    mark_primary: bool = True


def draft_of(ctx: TaskContext, config: PodConfig) -> Draft:
    """Return what the template asks for, in whichever of upstream's forms it does.

    :raises flyte_core.errors.InvalidInput: if it is in none of them, or incomplete
    """
    template = ctx.template
    target = template.WhichOneof("target")
    if template.type == SIDECAR and target != "k8s_pod":
        return _of_custom(ctx)
    match target:
        case "container":
            primary, data = container_name(ctx), template.container.data_config
            spec = {"containers": [_of_container(ctx, template.container)]}
            spec = with_copilot(spec, ctx, data, primary, config.co_pilot)
            return Draft(spec, {}, {}, primary, mark_primary=template.type != RAW_CONTAINER)
        case "k8s_pod":
            pod = template.k8s_pod
            draft = _checked(
                _whole_numbers(MessageToDict(pod.pod_spec)),
                dict(pod.metadata.labels),
                dict(pod.metadata.annotations),
                pod.primary_container_name or template.config.get(PRIMARY, ""),
                "k8s_pod.pod_spec",
            )
            spec = with_copilot(draft.spec, ctx, pod.data_config, draft.primary, config.co_pilot)
            return replace(draft, spec=spec)
        case other:
            raise InvalidInput(
                f"the template has {other or 'no target'}; a container or a k8s_pod is needed", field="target"
            )


def _of_container(ctx: TaskContext, container: Container) -> dict[str, Any]:
    if not (ctx.container_image or container.image):
        raise InvalidInput("the container has no image", field="container.image")
    drafted: dict[str, Any] = {"name": container_name(ctx), "image": container.image}
    if container.command:
        drafted["command"] = list(container.command)
    if container.args:
        drafted["args"] = list(container.args)
    if container.env:
        drafted["env"] = [{"name": pair.key, "value": pair.value} for pair in container.env]
    ports = [{"containerPort": port.container_port, "name": port.name} for port in container.ports]
    if ports:
        drafted["ports"] = [{key: value for key, value in port.items() if value} for port in ports]
    drafted["resources"] = container_entries(container)
    return drafted


def _of_custom(ctx: TaskContext) -> Draft:
    """Read the older forms of sidecar tasks, where the pod is in ``custom``."""
    custom: dict[str, Any] = _whole_numbers(MessageToDict(ctx.template.custom))
    if ctx.template.task_type_version == 0:
        return _checked(
            custom.get("podSpec"),
            dict(custom.get("labels") or {}),
            dict(custom.get("annotations") or {}),
            str(custom.get("primaryContainerName") or ""),
            "custom.podSpec",
        )
    return _checked(custom, {}, {}, ctx.template.config.get(PRIMARY, ""), "custom")


def _checked(spec: Any, labels: dict[str, str], annotations: dict[str, str], primary: str, field: str) -> Draft:
    """Return the pod if its containers can be read and the primary one is among them."""
    if not isinstance(spec, dict) or not spec:
        raise InvalidInput("there is no pod spec", field=field)
    check_containers(spec, field)
    names = [str(container["name"]) for container in spec.get("containers", [])]
    if primary not in names:
        text = f"the primary container {primary!r} is not among the containers: {', '.join(names) or 'none'}"
        raise InvalidInput(text, field=PRIMARY)
    return Draft(spec, labels, annotations, primary)


def check_containers(spec: Mapping[str, Any], field: str) -> None:
    """Check that the containers of a pod spec can be read.

    :raises flyte_core.errors.InvalidInput: if they are no list, or one has no name
    """
    for key in ("containers", "initContainers"):
        listed = spec.get(key) or []
        if not isinstance(listed, list) or not all(isinstance(item, dict) and item.get("name") for item in listed):
            raise InvalidInput(f"{key} must be a list of containers with names", field=f"{field}.{key}")


def _whole_numbers(value: Any) -> Any:
    """Return the JSON with whole numbers as such: protobuf's Struct knows only floats, Kubernetes does not."""
    if isinstance(value, Mapping):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
