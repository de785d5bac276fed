"""Pods of a task's own making."""

from __future__ import annotations

import copy
import importlib
from dataclasses import dataclass
from typing import Any

from flyteidl.core.tasks_pb2 import Container, K8sPod
from flyteidl.core.tasks_pb2 import Resources as ResourcesMessage

from flyte_kit.configuration.images import resolve_templates
from flyte_kit.configuration.serialization import SerializationSettings

PRIMARY_CONTAINER_DEFAULT_NAME = "primary"


@dataclass(eq=True)
class PodTemplate:
    """A pod into which the task's container goes.

    :ivar pod_spec: a ``kubernetes.client.V1PodSpec``
    :ivar primary_container_name: the container that runs the task; added where the spec has none of that name
    """

    pod_spec: Any = None
    primary_container_name: str = PRIMARY_CONTAINER_DEFAULT_NAME
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None

    def __post_init__(self) -> None:
        if self.pod_spec is None:
            self.pod_spec = importlib.import_module("kubernetes.client").V1PodSpec(containers=[])
        if not self.primary_container_name:
            raise ValueError("A primary container name cannot be undefined")


def pod_of_template(template: PodTemplate, primary: Container, settings: SerializationSettings) -> K8sPod:
    """Return the template's pod with the task's container in it, labelled and annotated as the template says."""
    pod = K8sPod()
    pod.pod_spec.update(pod_spec_document(template, primary, settings))
    pod.metadata.SetInParent()
    pod.metadata.labels.update(template.labels or {})
    pod.metadata.annotations.update(template.annotations or {})
    return pod


def pod_spec_document(template: PodTemplate, primary: Container, settings: SerializationSettings) -> dict[str, Any]:
    """Return the pod as Kubernetes' JSON; image, arguments, variables and resources go into its main container."""
    client = importlib.import_module("kubernetes.client")
    spec = copy.deepcopy(template.pod_spec)
    if all(container.name != template.primary_container_name for container in spec.containers):
        spec.containers.append(client.V1Container(name=template.primary_container_name))
    for container in spec.containers:
        if container.name == template.primary_container_name:
            _fill(container, primary, settings, client)
        else:
            container.image = resolve_templates(container.image, settings.image_config) if container.image else None
    document: dict[str, Any] = client.ApiClient().sanitize_for_serialization(spec)
    return document


def _fill(container: Any, primary: Container, settings: SerializationSettings, client: Any) -> None:
    container.image = resolve_templates(container.image, settings.image_config) if container.image else primary.image
    container.command, container.args = list(primary.command), list(primary.args) or None
    limits, requests = _amounts(primary.resources.limits), _amounts(primary.resources.requests)
    if limits or requests:
        container.resources = client.V1ResourceRequirements(limits=limits, requests=requests)
    own = [client.V1EnvVar(name=pair.key, value=pair.value) for pair in primary.env]
    container.env = own + (container.env or [])


def _amounts(entries: Any) -> dict[str, str]:
    names = ResourcesMessage.ResourceName
    return {names.Name(entry.name).lower().replace("_", "-"): entry.value for entry in entries}
