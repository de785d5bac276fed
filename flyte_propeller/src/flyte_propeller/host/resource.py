"""Runs attempts of resource task types: objects in the cluster, created by name, confirmed by uid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyte_core.clock import Clock
from flyte_core.cluster import Cluster, Kind, Manifest
from flyte_core.command_templates import task_template_uri, wants_inputs, wants_task_template
from flyte_core.errors import AlreadyExists, Conflict, InvalidInput, NotFound, PermissionDenied, TooLarge, Unavailable
from flyte_core.phases import TERMINAL_TASK_PHASES, TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_propeller.host.additions import FINALIZER, completed, is_ours, with_platform_labels
from flyte_propeller.host.failures import system_failure, user_failure
from flyte_propeller.host.frozen_copies import copy_context, copy_json, copy_manifest
from flyte_propeller.host.outcome import OutcomeReader
from flyte_propeller.host.quarantine import Quarantine
from flyte_propeller.host.reports import FAILURES, problem_of
from flyte_propeller.host.served import Resource
from flyte_propeller.shell.ports import Launched

TRIES = 5
"""Times that a write is tried when somebody else writes the same object."""
QUOTA = "exceeded quota"
"""What Kubernetes says when a namespace's quota is used up."""


class ResourceRunner:
    """Creates, observes and deletes the objects that plugins describe."""

    def __init__(
        self, cluster: Cluster, store: BlobStore, outcomes: OutcomeReader, quarantine: Quarantine, clock: Clock
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._outcomes = outcomes
        self._quarantine = quarantine
        self._clock = clock

    async def launch(self, served: Resource, ctx: TaskContext) -> Launched | PhaseInfo:
        """Create the object, or take the one that exists, when it is ours.

        :raises flyte_core.errors.UserError: if the template cannot be run
        :raises flyte_propeller.host.quarantine.PluginFault: if the plugin is at fault
        """
        ctx = with_platform_labels(ctx)
        manifest = completed(await self._build(served, ctx), ctx)
        if wants_task_template(ctx.template):
            data = ctx.template.SerializeToString(deterministic=True)
            await self._store.write(task_template_uri(ctx.paths.output_prefix), data)
        try:
            return await self._create(served.kind, ctx, manifest)
        except InvalidInput as error:
            return user_failure("BadTaskFormat", f"the cluster refuses the {served.kind.kind}: {error}")
        except TooLarge as error:
            return user_failure("EntityTooLarge", str(error))
        except PermissionDenied as error:
            if QUOTA in str(error):
                return PhaseInfo(TaskPhase.WAITING_FOR_RESOURCES, reason=f"Exceeded resourcequota: {error}")
            return system_failure("RuntimeFailure", f"the cluster forbids to create the {served.kind.kind}: {error}")

    async def _build(self, served: Resource, ctx: TaskContext) -> dict[str, Any]:
        given = copy_context(ctx, self._clock.now(), inputs=wants_inputs(ctx.template))
        built = await self._quarantine.call(served.plugin_id, "build", lambda: served.plugin.build(given))
        problem = _manifest_problem(built, served.kind)
        if problem:
            raise self._quarantine.fault(served.plugin_id, "build", problem)
        self._quarantine.good(served.plugin_id, "build")
        copied: dict[str, Any] = copy_json(built)
        return copied

    async def _create(self, kind: Kind, ctx: TaskContext, manifest: Manifest) -> Launched | PhaseInfo:
        for _ in range(TRIES):
            try:
                created = await self._cluster.create(manifest)
                return Launched(created["metadata"]["uid"])
            except AlreadyExists:
                found = await self._cluster.get(kind, ctx.namespace, ctx.generated_name)
            if found is None:
                continue
            if is_ours(found, ctx):
                return Launched(found["metadata"]["uid"])
            text = f"{kind.kind} {ctx.namespace}/{ctx.generated_name} exists already and belongs to somebody else"
            return system_failure("ResourceNameTaken", text)
        raise Unavailable(f"{kind.kind} {ctx.namespace}/{ctx.generated_name} comes and goes")

    async def observe(self, served: Resource, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return the phase that the object shows, with outputs and errors read.

        :raises flyte_propeller.host.quarantine.PluginFault: if the plugin is at fault
        """
        found = await self._cluster.get(served.kind, ctx.namespace, ctx.generated_name)
        name = f"{served.kind.kind} {ctx.namespace}/{ctx.generated_name}"
        if found is None or found["metadata"]["uid"] != launched.token:
            text = f"{name} was deleted by somebody else before its result was seen"
            return system_failure("ResourceDeletedExternally", text)
        given = copy_context(with_platform_labels(ctx), self._clock.now(), inputs=False)
        seen = copy_manifest(found)
        info = await self._quarantine.call(served.plugin_id, "observe", lambda: served.plugin.observe(given, seen))
        problem = problem_of(info)
        if problem:
            raise self._quarantine.fault(served.plugin_id, "observe", problem)
        self._quarantine.good(served.plugin_id, "observe")
        if info.phase is TaskPhase.SUCCESS:
            return await self._outcomes.of_success(ctx, info)
        if info.phase in FAILURES:
            return await self._outcomes.of_failure(ctx, info)
        if found["metadata"].get("deletionTimestamp") and info.phase not in TERMINAL_TASK_PHASES:
            return system_failure("UnexpectedObjectDeletion", f"{name} is being deleted by somebody else")
        return info

    async def delete(self, kind: Kind, ctx: TaskContext, launched: Launched | None) -> bool:
        """Let go of the object and delete it; True once it is gone. Needs no plugin."""
        for _ in range(TRIES):
            found = await self._cluster.get(kind, ctx.namespace, ctx.generated_name)
            if found is None or not is_ours(found, ctx):
                return True
            uid = found["metadata"]["uid"]
            if launched is not None and uid != launched.token:
                return True
            try:
                if not await self._let_go(found):
                    return True
            except Conflict:
                continue
            if not await self._cluster.delete(kind, ctx.namespace, ctx.generated_name, uid=uid):
                return True
            left = await self._cluster.get(kind, ctx.namespace, ctx.generated_name)
            return left is None or left["metadata"]["uid"] != uid
        raise Unavailable(f"{kind.kind} {ctx.namespace}/{ctx.generated_name} is written too often to be deleted")

    async def _let_go(self, found: Manifest) -> bool:
        """Take our finalizer away; False if the object is gone by then."""
        metadata = found["metadata"]
        finalizers = metadata.get("finalizers") or ()
        if FINALIZER not in finalizers:
            return True
        left = [name for name in finalizers if name != FINALIZER]
        try:
            await self._cluster.replace({**found, "metadata": {**metadata, "finalizers": left}})
        except NotFound:
            return False
        return True


def _manifest_problem(built: object, kind: Kind) -> str:
    if not isinstance(built, Mapping):
        return f"returned {type(built).__name__}, not a manifest"
    given = (built.get("apiVersion"), built.get("kind"))
    if given != (kind.api_version, kind.kind):
        return f"returned a manifest of {given[0]!r} {given[1]!r}, not of {kind.api_version} {kind.kind}"
    metadata = built.get("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        return f"returned a manifest whose metadata is {type(metadata).__name__}"
    for key in ("labels", "annotations"):
        values = (metadata or {}).get(key)
        if values is not None and not isinstance(values, Mapping):
            return f"returned a manifest whose {key} are {type(values).__name__}"
    return ""
