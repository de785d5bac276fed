"""A task as a Pod manifest, as upstream's container and sidecar plugins make it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.core.security_pb2 import Secret
from google.protobuf.json_format import MessageToDict

from flyte_core.command_templates import fill
from flyte_core.errors import InvalidInput
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.container import build_container, container_name, environment

PRIMARY = "primary_container_name"
RAW_CONTAINER = "raw-container"


def build_pod(ctx: TaskContext, config: PodConfig) -> dict[str, Any]:
    """Return the pod without its name, namespace, owner and the execution's labels, which the caller adds.

    :raises flyte_core.errors.InvalidInput: if the template has neither a container nor a pod
    """
    match ctx.template.WhichOneof("target"):
        case "container":
            spec: dict[str, Any] = {"containers": [build_container(ctx, config)]}
            primary = "" if ctx.template.type == RAW_CONTAINER else container_name(ctx)
            labels: dict[str, str] = {}
            annotations: dict[str, str] = {}
        case "k8s_pod":
            spec, labels, annotations, primary = _given_pod(ctx, config)
        case other:
            text = f"task {ctx.template.id.name} of type {ctx.template.type} has {other or 'no target'}"
            raise InvalidInput(f"{text}: a container or a k8s_pod is needed", field="target")
    spec["restartPolicy"] = "Never"
    _add_placement(spec, ctx, config)
    metadata: dict[str, Any] = {"annotations": {**config.annotations, **annotations, **ctx.annotations}}
    if primary:
        metadata["annotations"][PRIMARY] = primary
    metadata["labels"] = {**config.labels, **labels}
    _add_secrets(metadata, ctx)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _given_pod(ctx: TaskContext, config: PodConfig) -> tuple[dict[str, Any], dict[str, str], dict[str, str], str]:
    """Return the user's own pod with the platform's environment in each container."""
    pod = ctx.template.k8s_pod
    spec: dict[str, Any] = MessageToDict(pod.pod_spec)
    containers = spec.get("containers") or []
    primary = pod.primary_container_name or ctx.template.config.get(PRIMARY, "")
    names = [container.get("name", "") for container in containers]
    if primary not in names:
        text = f"primary container {primary!r} is not among {', '.join(names) or 'no containers'}"
        raise InvalidInput(f"task {ctx.template.id.name}: {text}", field="k8s_pod.primary_container_name")
    from_template = [_completed(container, ctx, config) for container in containers]
    spec["containers"] = from_template
    return spec, dict(pod.metadata.labels), dict(pod.metadata.annotations), primary


def _completed(container: Mapping[str, Any], ctx: TaskContext, config: PodConfig) -> dict[str, Any]:
    own = [(item["name"], item["value"]) for item in container.get("env") or () if "value" in item]
    other = [item for item in container.get("env") or () if "value" not in item]
    completed = {**container, "env": [*other, *environment(ctx, config, own)]}
    for key in ("command", "args"):
        if container.get(key):
            completed[key] = fill(container[key], ctx)
    completed["terminationMessagePolicy"] = "FallbackToLogsOnError"
    return completed


def _add_placement(spec: dict[str, Any], ctx: TaskContext, config: PodConfig) -> None:
    if ctx.interruptible:
        if config.interruptible_tolerations:
            spec["tolerations"] = [*spec.get("tolerations", ()), *config.interruptible_tolerations]
        if config.interruptible_node_selector:
            spec["nodeSelector"] = {**spec.get("nodeSelector", {}), **config.interruptible_node_selector}
    account = ctx.security.run_as.k8s_service_account
    if account:
        spec["serviceAccountName"] = account


def _add_secrets(metadata: dict[str, Any], ctx: TaskContext) -> None:
    """Ask the secrets webhook for what the task requests: one annotation a secret (upstream's encoding)."""
    secrets: list[Secret] = list(ctx.template.security_context.secrets)
    if secrets:
        metadata["labels"]["inject-flyte-secrets"] = "true"
        for number, secret in enumerate(secrets):
            metadata["annotations"][f"flyte.secrets/s{number}"] = encode_secret(secret)


def encode_secret(secret: Secret) -> str:
    """Return the secret's request as upstream's webhook reads it: protobuf text in its own base-32 alphabet."""
    text = str(secret).encode()
    alphabet = "abcdefghijklmnopqrstuvwxyz123456"
    bits = "".join(f"{byte:08b}" for byte in text)
    bits += "0" * (-len(bits) % 5)
    return "".join(alphabet[int(bits[i : i + 5], 2)] for i in range(0, len(bits), 5))
