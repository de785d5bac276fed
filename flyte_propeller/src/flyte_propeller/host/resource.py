"""Runs attempts of resource task types: objects in the cluster, created by name, confirmed by uid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.core.execution_pb2 import ExecutionError

from flyte_core.cluster import Cluster, Manifest
from flyte_core.command_templates import task_template_uri, wants_task_template
from flyte_core.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from flyte_core.identifiers import label_value
from flyte_core.phases import TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo, ResourceTaskType, TaskContext
from flyte_propeller.host.outcome import OutcomeReader
from flyte_propeller.host.quarantine import Quarantine
from flyte_propeller.shell.ports import Launched

FINALIZER = "flyte.org/finalizer-k8s"
"""Keeps an object until the result that it shows is recorded."""


class ResourceRunner:
    """Creates, observes and deletes the objects that plugins describe."""

    def __init__(self, cluster: Cluster, store: BlobStore, outcomes: OutcomeReader, quarantine: Quarantine) -> None:
        self._cluster = cluster
        self._store = store
        self._outcomes = outcomes
        self._quarantine = quarantine

    async def launch(self, plugin: ResourceTaskType, ctx: TaskContext) -> Launched | PhaseInfo:
        """Create the object, or take the one that exists, when it is ours."""
        built = self._quarantine.call(plugin.plugin_id, "build", lambda: plugin.build(ctx), (Mapping,))
        if wants_task_template(ctx):
            await self._store.write(task_template_uri(ctx), ctx.template.SerializeToString(deterministic=True))
        try:
            created = await self._cluster.create(completed(built, ctx))
        except InvalidInput as error:
            refused = ExecutionError(code="BadTaskSpecification", message=str(error), kind=ExecutionError.USER)
            return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=refused)
        except AlreadyExists:
            found = await self._cluster.get(plugin.kind, ctx.namespace, ctx.generated_name)
            if found is None:
                raise Conflict(f"{ctx.generated_name} vanished while it was looked at") from None
            if not _is_ours(found, ctx):
                text = f"{plugin.kind.kind} {ctx.namespace}/{ctx.generated_name} exists and belongs to somebody else"
                taken = ExecutionError(code="ResourceNameTaken", message=text, kind=ExecutionError.SYSTEM)
                return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=taken)
            created = found
        return Launched(created["metadata"]["uid"])

    async def observe(self, plugin: ResourceTaskType, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return the phase that the object shows, with outputs and errors read."""
        found = await self._cluster.get(plugin.kind, ctx.namespace, ctx.generated_name)
        if found is None or found["metadata"]["uid"] != launched.token:
            text = f"{plugin.kind.kind} {ctx.namespace}/{ctx.generated_name} was deleted by somebody else"
            error = ExecutionError(code="ResourceDeletedExternally", message=text, kind=ExecutionError.SYSTEM)
            return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=error)
        info = self._quarantine.call(plugin.plugin_id, "observe", lambda: plugin.observe(ctx, found), PhaseInfo)
        self._quarantine.check_report(plugin.plugin_id, info)
        if info.phase is TaskPhase.SUCCESS:
            return await self._outcomes.of_success(ctx, info)
        if info.phase in (TaskPhase.RETRYABLE_FAILURE, TaskPhase.PERMANENT_FAILURE):
            return await self._outcomes.of_failure(ctx, info)
        return info

    async def delete(self, plugin: ResourceTaskType, ctx: TaskContext, launched: Launched | None) -> bool:
        """Let go of the object and delete it; True once it is gone."""
        found = await self._cluster.get(plugin.kind, ctx.namespace, ctx.generated_name)
        if found is None or not _is_ours(found, ctx):
            return True
        if launched is not None and found["metadata"]["uid"] != launched.token:
            return True
        finalizers = found["metadata"].get("finalizers") or []
        if FINALIZER in finalizers:
            left = [name for name in finalizers if name != FINALIZER]
            try:
                await self._cluster.replace({**found, "metadata": {**found["metadata"], "finalizers": left}})
            except NotFound:
                return True
        uid = found["metadata"]["uid"]
        if not await self._cluster.delete(plugin.kind, ctx.namespace, ctx.generated_name, uid=uid):
            return True
        return await self._cluster.get(plugin.kind, ctx.namespace, ctx.generated_name) is None


def completed(built: Manifest, ctx: TaskContext) -> dict[str, Any]:
    """Return the object with what the platform adds: name, namespace, owner, labels, annotations, finalizer."""
    metadata = built.get("metadata") or {}
    labels = {
        **(metadata.get("labels") or {}),
        **ctx.labels,
        "node-id": ctx.id.node_execution_id.node_id,
        "task-name": label_value(ctx.template.id.name),
        "interruptible": "true" if ctx.interruptible else "false",
    }
    return {
        **built,
        "metadata": {
            **metadata,
            "name": ctx.generated_name,
            "namespace": ctx.namespace,
            "labels": labels,
            "annotations": dict(metadata.get("annotations") or {}),
            "ownerReferences": [dict(ctx.owner)],
            "finalizers": [*(metadata.get("finalizers") or ()), FINALIZER],
        },
    }


def _is_ours(found: Manifest, ctx: TaskContext) -> bool:
    return ctx.owner["uid"] in {owner["uid"] for owner in found["metadata"].get("ownerReferences") or ()}
