"""What the platform adds to every object of a task: name, owner, labels, annotations, finalizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flyte_core.cluster import Manifest
from flyte_core.identifiers import label_value
from flyte_core.task_types import TaskContext
from flyte_propeller.host.secret_requests import INJECT_SECRETS, SECRET_ANNOTATION, encode_secret

FINALIZER = "flyte.org/finalizer-k8s"
"""Keeps an object until the result that it shows is recorded."""


def with_platform_labels(ctx: TaskContext) -> TaskContext:
    """Return the context whose labels and annotations are all that the attempt's objects get."""
    labels = {
        **ctx.labels,
        "node-id": ctx.spec_node_id or ctx.id.node_execution_id.node_id,
        "task-name": label_value(ctx.template.id.name),
        "interruptible": "true" if ctx.interruptible else "false",
    }
    annotations = dict(ctx.annotations)
    identity = ctx.security.run_as.execution_identity
    if identity:
        labels["execution-identity"] = label_value(identity)
    for number, secret in enumerate(ctx.template.security_context.secrets):
        labels[INJECT_SECRETS] = "true"
        annotations[f"{SECRET_ANNOTATION}{number}"] = encode_secret(secret)
    return replace(ctx, labels=labels, annotations=annotations)


def completed(built: Manifest, ctx: TaskContext) -> dict[str, Any]:
    """Return the object to create. What the platform adds beats what the plugin put there (upstream's order).

    :param ctx: from :func:`with_platform_labels`
    """
    metadata: Mapping[str, Any] = built.get("metadata") or {}
    finalizers = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
    return {
        **built,
        "metadata": {
            **metadata,
            "name": ctx.generated_name,
            "namespace": ctx.namespace,
            "labels": {**(metadata.get("labels") or {}), **ctx.labels},
            "annotations": {**(metadata.get("annotations") or {}), **ctx.annotations},
            "ownerReferences": [dict(ctx.owner)],
            "finalizers": [*finalizers, FINALIZER],
        },
    }


def is_ours(found: Manifest, ctx: TaskContext) -> bool:
    """Tell whether the object belongs to this incarnation of the execution, and not to one before of the same name."""
    owners = found["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == ctx.owner["uid"] for owner in owners)
