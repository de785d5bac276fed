"""Runs attempts of remote-job task types: jobs behind somebody's API, created with an idempotency token."""

from __future__ import annotations

import base64
import logging

from flyte_core.clock import Clock
from flyte_core.errors import UserError
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, RemoteJob, TaskContext
from flyte_propeller.host.additions import with_platform_labels
from flyte_propeller.host.failures import user_failure
from flyte_propeller.host.frozen_copies import copy_context
from flyte_propeller.host.outcome import OutcomeReader
from flyte_propeller.host.quarantine import Quarantine
from flyte_propeller.host.reports import FAILURES, problem_of
from flyte_propeller.host.served import Remote
from flyte_propeller.shell.ports import Launched

LOG = logging.getLogger(__name__)
META_LIMIT = 10 * 1024
"""Bytes of a job's handle, which is kept in the FlyteWorkflow's state."""
_PREFIX = "job:"


class RemoteJobRunner:
    """Creates, observes and deletes jobs. The token of an attempt is the job's handle; the idempotency token is the
    attempt's generated name.
    """

    def __init__(self, outcomes: OutcomeReader, quarantine: Quarantine, clock: Clock) -> None:
        self._outcomes = outcomes
        self._quarantine = quarantine
        self._clock = clock

    async def launch(self, served: Remote, ctx: TaskContext) -> Launched:
        """Start the job, or find the one that was started.

        :raises flyte_core.errors.UserError: if the backend refuses the job
        :raises flyte_core.errors.Unavailable: if the backend does not answer
        :raises flyte_propeller.host.quarantine.PluginFault: if the plugin is at fault
        """
        job = await self._create(served, ctx)
        return Launched(_PREFIX + base64.b64encode(job.meta).decode())

    async def _create(self, served: Remote, ctx: TaskContext) -> RemoteJob:
        given, token = self._given(ctx, inputs=True), ctx.generated_name
        job = await self._quarantine.await_call(
            served.plugin_id, "create", lambda: served.plugin.create(given, token=token)
        )
        if not isinstance(job, RemoteJob) or not isinstance(job.meta, bytes):
            raise self._quarantine.fault(served.plugin_id, "create", f"returned {job!r:.100}, not RemoteJob of bytes")
        if len(job.meta) > META_LIMIT:
            text = f"returned a handle of {len(job.meta)} bytes, the limit is {META_LIMIT}"
            raise self._quarantine.fault(served.plugin_id, "create", text)
        self._quarantine.good(served.plugin_id, "create")
        return job

    async def observe(self, served: Remote, ctx: TaskContext, launched: Launched) -> PhaseInfo:
        """Return the phase that the backend tells, with outputs and errors read.

        :raises flyte_core.errors.Unavailable: if the backend does not answer
        :raises flyte_propeller.host.quarantine.PluginFault: if the plugin is at fault
        """
        given, job = self._given(ctx, inputs=False), _job(launched)
        try:
            info = await self._quarantine.await_call(served.plugin_id, "get", lambda: served.plugin.get(given, job))
        except UserError as error:
            return user_failure("RemoteJobFailed", f"plugin {served.plugin_id!r}: {error}")
        problem = problem_of(info)
        if problem:
            raise self._quarantine.fault(served.plugin_id, "get", problem)
        self._quarantine.good(served.plugin_id, "get")
        if info.phase is TaskPhase.SUCCESS:
            return await self._outcomes.of_success(ctx, info)
        if info.phase in FAILURES:
            return await self._outcomes.of_failure(ctx, info)
        return info

    async def delete(self, served: Remote, ctx: TaskContext, launched: Launched | None) -> bool:
        """End the job; True once the backend says that nothing of it is left.

        An attempt without a handle may have been created all the same, by a process that died before it could store
        the handle. Creating it again with the same token is the only way to find it.

        :raises flyte_core.errors.Unavailable: if the backend does not answer
        :raises flyte_propeller.host.quarantine.PluginFault: if the plugin is at fault
        """
        given = self._given(ctx, inputs=False)
        try:
            job = await self._create(served, ctx) if launched is None else _job(launched)
            gone = await self._quarantine.await_call(
                served.plugin_id, "delete", lambda: served.plugin.delete(given, job)
            )
        except UserError as error:
            LOG.warning("plugin %s: nothing of %s to delete: %s", served.plugin_id, ctx.generated_name, error)
            return True
        if not isinstance(gone, bool):
            raise self._quarantine.fault(served.plugin_id, "delete", f"returned {gone!r:.100}, not a bool")
        self._quarantine.good(served.plugin_id, "delete")
        return gone

    def _given(self, ctx: TaskContext, *, inputs: bool) -> TaskContext:
        return copy_context(with_platform_labels(ctx), self._clock.now(), inputs=inputs)


def _job(launched: Launched) -> RemoteJob:
    return RemoteJob(base64.b64decode(launched.token.removeprefix(_PREFIX)))
