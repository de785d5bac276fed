"""A task as a Pod manifest, as upstream's container and sidecar plugins make it."""

from __future__ import annotations

from typing import Any

from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.container import finished
from flyte_plugin_pod.draft import draft_of
from flyte_plugin_pod.placement import place
from flyte_plugin_pod.pod_status import PRIMARY
from flyte_plugin_pod.pod_templates import with_node_override, with_template


def build_pod(ctx: TaskContext, config: PodConfig) -> dict[str, Any]:
    """Return the pod without name, namespace, owner and the execution's labels, which the caller adds.

    :raises flyte_core.errors.InvalidInput: if the template cannot be run as a pod
    """
    draft = with_node_override(with_template(draft_of(ctx, config), ctx, config), ctx)
    spec = dict(draft.spec)
    for key in ("initContainers", "containers"):
        if spec.get(key):
            spec[key] = [
                finished(item, ctx, config, primary=key == "containers" and item["name"] == draft.primary)
                for item in spec[key]
            ]
    spec.setdefault("restartPolicy", "Never")
    account = ctx.template.security_context.run_as.k8s_service_account or ctx.security.run_as.k8s_service_account
    if account:
        spec.setdefault("serviceAccountName", account)
    place(spec, ctx, config, draft.primary)
    annotations = {**config.default_annotations, **draft.annotations}
    if draft.mark_primary:
        annotations[PRIMARY] = draft.primary
    metadata = {"labels": {**config.default_labels, **draft.labels}, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
