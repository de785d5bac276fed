"""The task host of the propeller: finds the plugin of a task type, and runs attempts in its shape."""

from __future__ import annotations

import logging
from typing import assert_never

from flyte_core.clock import Clock, SystemClock
from flyte_core.cluster import POD, Cluster, Kind
from flyte_core.errors import ConfigError, NotFound, PluginError, UserError
from flyte_core.identifiers import GENERATED_NAME_LIMIT
from flyte_core.phases import TaskPhase
from flyte_core.plugins import PluginManager
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo, TaskContext, TaskType
from flyte_propeller.host.failures import system_failure, user_failure
from flyte_propeller.host.inline import InlineRunner
from flyte_propeller.host.outcome import OutcomeReader
from flyte_propeller.host.quarantine import FaultLimits, PluginFault, Quarantine
from flyte_propeller.host.remote_job import RemoteJobRunner
from flyte_propeller.host.resource import ResourceRunner
from flyte_propeller.host.served import Inline, Remote, Resource, Served, served
from flyte_propeller.shell.ports import Launched

LOG = logging.getLogger(__name__)


class PluginHost:
    """Implements :class:`flyte_propeller.shell.ports.TaskHost` over the installed plugins.

    :param output_limit: bytes of one outputs or error object
    """

    def __init__(
        self,
        plugins: PluginManager,
        cluster: Cluster,
        store: BlobStore,
        *,
        output_limit: int,
        clock: Clock | None = None,
        limits: FaultLimits | None = None,
    ) -> None:
        clock = clock or SystemClock()
        outcomes = OutcomeReader(store, output_limit)
        self._plugins = plugins
        self._quarantine = Quarantine(clock, limits or FaultLimits())
        self._resources = ResourceRunner(cluster, store, outcomes, self._quarantine, clock)
        self._jobs = RemoteJobRunner(outcomes, self._quarantine, clock)
        self._inline = InlineRunner(store, outcomes, self._quarantine, clock)
        self._served: dict[str, tuple[TaskType, Served]] = {}
        self._kinds: dict[Kind, None] = {POD: None}

    def of_type(self, task_type: str) -> tuple[str, int]:
        """Return id and name limit of the type's plugin; the empty id and upstream's limit where none serves it."""
        try:
            found = self._find(task_type)
        except (NotFound, PluginError, ConfigError):
            return "", GENERATED_NAME_LIMIT
        return found.plugin_id, found.name_limit

    def name_limit(self, task_type: str) -> int:
        """Return how long a generated name may be."""
        return self.of_type(task_type)[1]

    def plugin_id(self, task_type: str) -> str:
        """Return the id of the type's plugin."""
        return self.of_type(task_type)[0]

    async def launch(self, ctx: TaskContext) -> Launched | PhaseInfo:
        """Create the attempt; see the port. Inline work is over by then, and what is returned is how it ended."""
        try:
            found = self._find(ctx.template.type)
        except (NotFound, PluginError, ConfigError) as error:
            return system_failure("TaskTypeNotServed", f"task type {ctx.template.type!r}: {error}", retryable=False)
        shut = self._quarantine.reason(found.plugin_id)
        if shut:
            return system_failure("PluginQuarantined", shut, retryable=False)
        try:
            match found:
                case Resource():
                    return await self._resources.launch(found, ctx)
                case Remote():
                    return await self._jobs.launch(found, ctx)
                case Inline():
                    return await self._inline.launch(found, ctx)
                case _:
                    assert_never(found)
        except PluginFault as error:
            return system_failure("PluginFault", str(error))
        except UserError as error:
            return user_failure("BadTaskSpecification", f"task {ctx.template.id.name}: {error}")

    async def observe(self, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return the phase of the attempt; see the port."""
        try:
            found = self._find(ctx.template.type)
        except (NotFound, PluginError, ConfigError) as error:
            return system_failure("TaskTypeNotServed", f"task type {ctx.template.type!r}: {error}")
        shut = self._quarantine.reason(found.plugin_id)
        if shut:
            # What runs goes on running; it is looked at again when the plugin has had its rest.
            return PhaseInfo(TaskPhase.QUEUED, reason=shut)
        try:
            match found:
                case Resource():
                    return await self._resources.observe(found, ctx, launched)
                case Remote():
                    return await self._jobs.observe(found, ctx, launched)
                case Inline():
                    return system_failure("ResourceDeletedExternally", "inline work leaves nothing to look at")
                case _:
                    assert_never(found)
        except PluginFault as error:
            return system_failure("PluginFault", str(error))
        except UserError as error:
            return user_failure("BadTaskSpecification", f"task {ctx.template.id.name}: {error}")

    async def delete(self, ctx: TaskContext, launched: Launched | None) -> bool:
        """End the attempt; see the port. Objects are deleted without their plugin, jobs cannot be."""
        try:
            found = self._find(ctx.template.type)
        except (NotFound, PluginError, ConfigError) as error:
            gone = [await self._resources.delete(kind, ctx, launched) for kind in list(self._kinds)]
            if launched is not None and all(gone):
                LOG.warning("%s: what its plugin may have left elsewhere stays: %s", ctx.generated_name, error)
            return all(gone)
        match found:
            case Resource():
                return await self._resources.delete(found.kind, ctx, launched)
            case Remote():
                return await self._delete_job(found, ctx, launched)
            case Inline():
                return True
            case _:
                assert_never(found)

    async def _delete_job(self, found: Remote, ctx: TaskContext, launched: Launched | None) -> bool:
        try:
            shut = self._quarantine.reason(found.plugin_id)
            if not shut:
                return await self._jobs.delete(found, ctx, launched)
        except PluginFault:
            return False
        LOG.error("job %s may be left behind: %s", ctx.generated_name, shut)
        return True

    def _find(self, task_type: str) -> Served:
        """Return what serves the type.

        :raises flyte_core.errors.NotFound: if nothing does; says why, and what to install
        :raises flyte_core.errors.PluginError: if its plugin is broken
        :raises flyte_core.errors.ConfigError: if its plugin is configured wrongly
        """
        plugin = self._plugins.task_type(task_type)
        known = self._served.get(task_type)
        if known is not None and known[0] is plugin:
            return known[1]
        found = served(plugin)
        self._served[task_type] = (plugin, found)
        if isinstance(found, Resource):
            self._kinds[found.kind] = None
        return found
