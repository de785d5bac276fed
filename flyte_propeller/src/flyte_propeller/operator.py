"""The run loop of the data plane: watches wake keys, workers run rounds, a resync covers every lost wake-up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

from flyte_core.cluster import FLYTE_WORKFLOW, POD, Kind, Manifest, WatchEvent
from flyte_core.errors import Conflict, InvalidInput, NotFound, SystemFault
from flyte_propeller.bad_workflow import fail_unreadable
from flyte_propeller.machine.workflow import Workflow
from flyte_propeller.shell.execution import Execution, load
from flyte_propeller.shell.round import Ports, refresh, run_round
from flyte_propeller.wakeups import Key, Wakeups

LOG = logging.getLogger(__name__)
LIVE = "termination-status!=terminated"
OWNED = "execution-id"
FIRST_BACKOFF, LAST_BACKOFF = 0.1, 10.0
MAX_SYSTEM_RETRIES = 10
"""Rounds in a row that may fail by a fault of this program before the workflow fails (upstream's default)."""
ROUNDS_IN_A_ROW = 50
"""Rounds of one execution before others get their turn."""


class Propeller:
    """Drives every FlyteWorkflow of a cluster to its end.

    :param plugin_of: task type → plugin id and name limit
    :param watched: kinds of objects that plugins create; a change of one wakes its execution
    """

    def __init__(
        self, ports: Ports, plugin_of: Callable[[str], tuple[str, int]], *, watched: tuple[Kind, ...] = (POD,)
    ) -> None:
        self._ports = ports
        self._plugin_of = plugin_of
        self._watched = watched
        self._wakeups = Wakeups()
        self._executions: dict[Key, Execution] = {}
        self._faults: dict[Key, int] = {}
        self._outages: dict[Key, int] = {}
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(FLYTE_WORKFLOW, LIVE, self._workflow_changed))
            for kind in self._watched:
                group.create_task(self._follow(kind, OWNED, self._resource_changed))
            group.create_task(self._resync())
            group.create_task(self._collect())
            for _ in range(self._ports.settings.rounds_at_once):
                group.create_task(self._work())

    # -- wake-ups

    async def _follow(self, kind: Kind, labels: str, changed: Callable[[Manifest, bool], None]) -> None:
        """List and watch one kind for ever."""
        backoff = FIRST_BACKOFF
        while True:
            try:
                listing = await self._ports.cluster.list(kind, labels=labels)
                for item in listing.items:
                    changed(item, False)
                if kind is FLYTE_WORKFLOW:
                    self.synced.set()
                backoff = FIRST_BACKOFF
                watch: AsyncIterator[WatchEvent] = self._ports.cluster.watch(
                    kind, labels=labels, since=listing.resource_version
                )
                async for event in watch:
                    changed(event.object, event.type == "DELETED")
            except SystemFault as error:
                LOG.warning("watch of %s ended: %s", kind.plural, error)
                await self._ports.clock.sleep(backoff)
                backoff = min(backoff * 2, LAST_BACKOFF)

    def _workflow_changed(self, manifest: Manifest, _gone: bool) -> None:
        metadata = manifest["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        known = self._executions.get(key)
        if known is None or known.resource_version != metadata["resourceVersion"]:
            self._wakeups.wake(key)

    def _resource_changed(self, manifest: Manifest, _gone: bool) -> None:
        metadata: dict[str, Any] = dict(manifest["metadata"])
        owners = [owner for owner in metadata.get("ownerReferences") or () if owner.get("controller")]
        if not owners:
            return
        key = Key(metadata["namespace"], owners[0]["name"])
        execution = self._executions.get(key)
        if execution is None:
            return
        index = execution.index.get((metadata.get("labels") or {}).get("node-id", ""))
        if index is None:
            execution.inbox.whole = True
        else:
            execution.inbox.dirty.add(index)
        self._wakeups.wake(key)

    async def _resync(self) -> None:
        while True:
            await self._ports.clock.sleep(self._ports.settings.resync_seconds)
            for key, execution in list(self._executions.items()):
                execution.inbox.whole = True
                self._wakeups.wake(key)

    # -- work

    async def _work(self) -> None:
        while True:
            key = await self._wakeups.take()
            try:
                await self._attend(key)
            finally:
                self._wakeups.done(key)

    async def _attend(self, key: Key) -> None:
        """Run rounds of one execution while they have something to do. Every fault ends here, with a bound."""
        try:
            if await self._rounds(key):
                self._wakeups.wake(key)
            self._faults.pop(key, None)
            self._outages.pop(key, None)
        except Conflict:
            self._executions.pop(key, None)
            self._wakeups.wake_later(key, 0)
        except SystemFault as error:
            self._retry_later(key, error)
        except Exception as error:  # noqa: BLE001 - the shell's border: a fault of this program fails one workflow only
            await self._count_fault(key, error)

    async def _rounds(self, key: Key) -> bool:
        execution = await self._current(key)
        if execution is None:
            return False
        for _ in range(ROUNDS_IN_A_ROW):
            more = await run_round(execution, self._ports)
            if execution.finished:
                del self._executions[key]
                return False
            if not more:
                self._set_timer(key, execution)
                return False
            fresh = await refresh(execution, self._ports)
            if fresh is None or fresh["metadata"]["resourceVersion"] != execution.resource_version:
                return True
        return True

    def _set_timer(self, key: Key, execution: Execution) -> None:
        if execution.timers:
            wait = (min(execution.timers.values()) - self._ports.clock.now()).total_seconds()
            self._wakeups.wake_later(key, max(wait, 0.0))

    async def _current(self, key: Key) -> Execution | None:
        """Return the execution as stored now, from memory where nobody else has written."""
        known = self._executions.get(key)
        manifest = await self._ports.cluster.get(FLYTE_WORKFLOW, key.namespace, key.name)
        if manifest is None or (manifest["metadata"].get("labels") or {}).get("termination-status") == "terminated":
            self._executions.pop(key, None)
            return None
        graph: Workflow | None = None
        if known is not None and known.manifest["metadata"]["uid"] == manifest["metadata"]["uid"]:
            ours = (known.manifest.get("status") or {}).get("flyteState")
            if (manifest.get("status") or {}).get("flyteState") == ours:
                known.manifest = manifest
                return known
            graph = known.workflow
        try:
            execution = await load(manifest, self._ports.store, self._ports.settings, self._plugin_of, graph)
        except InvalidInput as error:
            LOG.warning("%s: %s", key.name, error)
            await fail_unreadable(manifest, str(error), self._ports)
            return None
        self._executions[key] = execution
        return execution

    # -- faults

    def _retry_later(self, key: Key, error: SystemFault) -> None:
        """Infrastructure is at fault: try again for as long as it takes, ever more slowly."""
        count = self._outages[key] = self._outages.get(key, 0) + 1
        wait = min(FIRST_BACKOFF * 2 ** min(count - 1, 10), LAST_BACKOFF)
        LOG.warning("%s: %s; again in %.1f s", key.name, error, wait)
        if key in self._executions:
            self._executions[key].inbox.whole = True
        self._wakeups.wake_later(key, wait)

    async def _count_fault(self, key: Key, error: Exception) -> None:
        """This program is at fault: try again from what is stored, then fail the workflow."""
        count = self._faults[key] = self._faults.get(key, 0) + 1
        LOG.exception("%s: round failed (%d of %d)", key.name, count, MAX_SYSTEM_RETRIES)
        self._executions.pop(key, None)
        if count <= MAX_SYSTEM_RETRIES:
            self._wakeups.wake_later(key, min(FIRST_BACKOFF * 2**count, LAST_BACKOFF))
            return
        text = (
            f"max number of system retry attempts [{count}/{MAX_SYSTEM_RETRIES}] exhausted. "
            f"Last known status message: {type(error).__name__}: {error}"
        )
        try:
            manifest = await self._ports.cluster.get(FLYTE_WORKFLOW, key.namespace, key.name)
            if manifest is not None:
                await fail_unreadable(manifest, text, self._ports, code="Workflow abort failed")
        except SystemFault as fault:
            self._retry_later(key, fault)

    # -- garbage

    async def _collect(self) -> None:
        """Delete ended FlyteWorkflows after their time."""
        while True:
            await self._ports.clock.sleep(min(60.0, self._ports.settings.keep_seconds))
            try:
                listing = await self._ports.cluster.list(FLYTE_WORKFLOW, labels="termination-status=terminated")
                for item in listing.items:
                    await self._collect_one(item)
            except SystemFault as error:
                LOG.warning("ended workflows are kept longer: %s", error)

    async def _collect_one(self, manifest: Manifest) -> None:
        stopped = (manifest.get("status") or {}).get("stoppedAt") or manifest["metadata"]["creationTimestamp"]
        age = self._ports.clock.now() - datetime.fromisoformat(stopped)
        if age >= timedelta(seconds=self._ports.settings.keep_seconds):
            metadata = manifest["metadata"]
            try:
                await self._ports.cluster.delete(
                    FLYTE_WORKFLOW, metadata["namespace"], metadata["name"], uid=metadata["uid"]
                )
            except NotFound:
                LOG.debug("%s is gone already", metadata["name"])
