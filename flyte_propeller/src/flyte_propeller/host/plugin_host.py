"""The task host of the propeller: finds the plugin of a task type, and runs attempts in its shape."""

from __future__ import annotations

import base64

from flyte_core.plugins import PluginManager
from flyteidl.core.execution_pb2 import ExecutionError

from flyte_core import paths
from flyte_core.cluster import Cluster
from flyte_core.errors import FlyteError, InvalidInput, UserError
from flyte_core.identifiers import GENERATED_NAME_LIMIT
from flyte_core.phases import TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import InlineTaskType, PhaseInfo, RemoteJob, RemoteJobTaskType, TaskContext, TaskType
from flyte_propeller.host.outcome import OutcomeReader
from flyte_propeller.host.quarantine import PluginFault, Quarantine, fault_report
from flyte_propeller.host.resource import ResourceRunner
from flyte_propeller.shell.ports import Launched

CALL_SECONDS = 60.0
"""Longest call of a hook that does I/O."""
INLINE = "inline"
MAX_META = 10 * 1024


class PluginHost:
    """Implements :class:`flyte_propeller.shell.ports.TaskHost` over the installed plugins.

    :param output_limit: bytes of one outputs or error object
    """

    def __init__(self, plugins: PluginManager, cluster: Cluster, store: BlobStore, *, output_limit: int) -> None:
        self._plugins = plugins
        self._store = store
        self._quarantine = Quarantine()
        self._outcomes = OutcomeReader(store, output_limit)
        self._resources = ResourceRunner(cluster, store, self._outcomes, self._quarantine)

    def of_type(self, task_type: str) -> tuple[str, int]:
        """Return plugin id and name limit of the type's plugin; those of pods where no plugin serves it."""
        try:
            plugin = self._plugins.task_type(task_type)
        except FlyteError:
            return "", GENERATED_NAME_LIMIT
        return plugin.plugin_id, plugin.name_limit

    def name_limit(self, task_type: str) -> int:
        """Return how long a generated name may be."""
        return self.of_type(task_type)[1]

    def plugin_id(self, task_type: str) -> str:
        """Return the id of the type's plugin."""
        return self.of_type(task_type)[0]

    async def launch(self, ctx: TaskContext) -> Launched | PhaseInfo:
        """Create the attempt; see the port."""
        try:
            plugin = self._find(ctx)
        except FlyteError as error:
            refused = ExecutionError(code="TaskTypeNotServed", message=str(error), kind=ExecutionError.SYSTEM)
            return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=refused)
        try:
            return await self._launch(plugin, ctx)
        except InvalidInput as error:
            refused = ExecutionError(code="BadTaskSpecification", message=str(error), kind=ExecutionError.USER)
            return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=refused)
        except PluginFault as error:
            return fault_report(str(error))

    async def observe(self, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return the phase of the attempt; see the port."""
        try:
            plugin = self._find(ctx)
        except FlyteError as error:
            return fault_report(str(error))
        try:
            match plugin:
                case InlineTaskType():
                    return await self._run_inline(plugin, ctx)
                case RemoteJobTaskType():
                    return await self._observe_job(plugin, ctx, launched)
                case _:
                    return await self._resources.observe(plugin, ctx, launched)
        except PluginFault as error:
            return fault_report(str(error))

    async def delete(self, ctx: TaskContext, launched: Launched | None) -> bool:
        """End the attempt; see the port. A plugin that is gone or broken leaves nothing that could be deleted."""
        try:
            plugin = self._find(ctx)
        except FlyteError:
            return True
        try:
            match plugin:
                case InlineTaskType():
                    return True
                case RemoteJobTaskType():
                    return launched is None or await self._delete_job(plugin, ctx, launched)
                case _:
                    return await self._resources.delete(plugin, ctx, launched)
        except PluginFault:
            return False

    def _find(self, ctx: TaskContext) -> TaskType:
        """Return the plugin.

        :raises flyte_core.errors.FlyteError: saying why there is none, and what to install
        """
        plugin = self._plugins.task_type(ctx.template.type)
        reason = self._quarantine.reason(plugin.plugin_id)
        if reason:
            raise InvalidInput(f"plugin {plugin.plugin_id!r} is quarantined: {reason}; restart after mending it")
        return plugin

    async def _launch(self, plugin: TaskType, ctx: TaskContext) -> Launched | PhaseInfo:
        match plugin:
            case InlineTaskType():
                return Launched(INLINE)
            case RemoteJobTaskType():
                job = await self._quarantine.await_call(
                    plugin.plugin_id, "create", lambda: plugin.create(ctx, token=ctx.generated_name), CALL_SECONDS
                )
                if not isinstance(job, RemoteJob) or len(job.meta) > MAX_META:
                    raise PluginFault(f"plugin {plugin.plugin_id!r}: create returned no RemoteJob of at most 10 KiB")
                return Launched(base64.b64encode(job.meta).decode() or "-")
            case _:
                return await self._resources.launch(plugin, ctx)

    async def _run_inline(self, plugin: InlineTaskType, ctx: TaskContext) -> PhaseInfo:
        try:
            outputs = await self._quarantine.await_call(plugin.plugin_id, "run", lambda: plugin.run(ctx), CALL_SECONDS)
        except UserError as error:
            failed = ExecutionError(code="InlineTaskFailed", message=str(error), kind=ExecutionError.USER)
            return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=failed)
        data = outputs.SerializeToString(deterministic=True)
        await self._store.write(paths.join(ctx.paths.output_prefix, paths.OUTPUTS), data)
        return await self._outcomes.of_success(ctx, PhaseInfo(TaskPhase.SUCCESS))

    async def _observe_job(self, plugin: RemoteJobTaskType, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        job = RemoteJob(_meta(launched))
        info = await self._quarantine.await_call(plugin.plugin_id, "get", lambda: plugin.get(ctx, job), CALL_SECONDS)
        self._quarantine.check_report(plugin.plugin_id, info)
        if info.phase is TaskPhase.SUCCESS:
            return await self._outcomes.of_success(ctx, info)
        return info

    async def _delete_job(self, plugin: RemoteJobTaskType, ctx: TaskContext, launched: Launched) -> bool:
        job = RemoteJob(_meta(launched))
        return await self._quarantine.await_call(
            plugin.plugin_id, "delete", lambda: plugin.delete(ctx, job), CALL_SECONDS
        )


def _meta(launched: Launched) -> bytes:
    return b"" if launched.token == "-" else base64.b64decode(launched.token)
