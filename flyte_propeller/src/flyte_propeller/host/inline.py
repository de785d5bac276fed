"""Runs attempts of inline task types: one call, then it is over."""

from __future__ import annotations

from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core import paths
from flyte_core.clock import Clock
from flyte_core.errors import Unavailable
from flyte_core.phases import TaskPhase
from flyte_core.storage import BlobStore
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_propeller.host.additions import with_platform_labels
from flyte_propeller.host.failures import system_failure
from flyte_propeller.host.frozen_copies import copy_context
from flyte_propeller.host.outcome import OutcomeReader
from flyte_propeller.host.quarantine import Quarantine
from flyte_propeller.host.served import Inline


class InlineRunner:
    """Calls the plugin and writes the outputs. An attempt leaves nothing outside but these."""

    def __init__(self, store: BlobStore, outcomes: OutcomeReader, quarantine: Quarantine, clock: Clock) -> None:
        self._store = store
        self._outcomes = outcomes
        self._quarantine = quarantine
        self._clock = clock

    async def launch(self, served: Inline, ctx: TaskContext) -> PhaseInfo:
        """Do the work and return how it ended.

        :raises flyte_core.errors.UserError: if the plugin says that the task cannot be done
        :raises flyte_propeller.host.quarantine.PluginFault: if the plugin is at fault
        """
        given = copy_context(with_platform_labels(ctx), self._clock.now(), inputs=True)
        try:
            outputs = await self._quarantine.await_call(served.plugin_id, "run", lambda: served.plugin.run(given))
        except Unavailable as error:
            return system_failure("InlineTaskFailed", str(error))
        if not isinstance(outputs, LiteralMap):
            raise self._quarantine.fault(served.plugin_id, "run", f"returned {type(outputs).__name__}, not LiteralMap")
        self._quarantine.good(served.plugin_id, "run")
        data = outputs.SerializeToString(deterministic=True)
        await self._store.write(paths.join(ctx.paths.output_prefix, paths.OUTPUTS), data)
        return await self._outcomes.of_success(ctx, PhaseInfo(TaskPhase.SUCCESS))
