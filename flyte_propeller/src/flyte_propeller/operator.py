"""The run loop of the data plane over a cluster port: watches wake keys, rounds are run, a resync covers the rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flyteidl.core.identifier_pb2 import SignalIdentifier

from flyte_core.cluster import FLYTE_WORKFLOW, POD, Kind, Manifest
from flyte_core.errors import Conflict, InvalidInput, NotFound, SystemFault, TooLarge
from flyte_core.phases import TERMINAL_WORKFLOW_PHASES
from flyte_propeller.bad_workflow import fail_workflow
from flyte_propeller.garbage import collect_garbage
from flyte_propeller.graph_reader import PluginOf
from flyte_propeller.shell.children import children_of
from flyte_propeller.shell.execution import Execution
from flyte_propeller.shell.loading import StateMissing, load
from flyte_propeller.shell.round import Ports, run_round
from flyte_propeller.wakeups import Awaited, Key, Wakeups

LOG = logging.getLogger(__name__)
LIVE = "termination-status!=terminated"
OWNED = "execution-id"
FIRST_BACKOFF, LAST_BACKOFF = 0.1, 10.0
MAX_SYSTEM_RETRIES = 10
"""Rounds in a row that may fail by a fault of this program before the workflow fails (upstream's default)."""
ROUNDS_IN_A_ROW = 50
"""Rounds of one execution before others get their turn."""


@dataclass(slots=True)
class _Trouble:
    """Rounds in a row that have failed: by an outage, and by a fault of this program."""

    outages: int = 0
    faults: int = 0


class Propeller:
    """Drives every FlyteWorkflow of a cluster to its end.

    :param plugin_of: task type → plugin id and name limit
    :param watched: kinds of objects that plugins create; a change of one wakes its execution
    """

    def __init__(self, ports: Ports, plugin_of: PluginOf, *, watched: tuple[Kind, ...] = (POD,)) -> None:
        self._ports = ports
        self._plugin_of = plugin_of
        self._watched = watched
        self._wakeups = Wakeups()
        self._executions: dict[Key, Execution] = {}
        self._awaited = Awaited()
        self._trouble: dict[Key, _Trouble] = {}
        self.synced = asyncio.Event()
        """Set once the FlyteWorkflows of the cluster are known."""

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(FLYTE_WORKFLOW, LIVE, self.workflow_changed))
            for kind in self._watched:
                group.create_task(self._follow(kind, OWNED, self.resource_changed))
            group.create_task(self._keep_in_sync())
            group.create_task(collect_garbage(self._ports.cluster, self._ports.clock, self._ports.settings))
            places = asyncio.Semaphore(self._ports.settings.rounds_at_once)
            while True:
                await places.acquire()
                key = await self._wakeups.take()
                group.create_task(self._work(key, places))

    # -- wake-ups

    async def _follow(self, kind: Kind, labels: str, changed: Callable[[Manifest], None]) -> None:
        """List and watch one kind for ever. What happened between two watches is found by looking at everything."""
        cluster, backoff, again = self._ports.cluster, FIRST_BACKOFF, False
        while True:
            try:
                listing = await cluster.list(kind, labels=labels)
                for item in listing.items:
                    changed(item)
                if again:
                    self.resync()
                again = True
                if kind is FLYTE_WORKFLOW:
                    self.synced.set()
                async for event in cluster.watch(kind, labels=labels, since=listing.resource_version):
                    backoff = FIRST_BACKOFF
                    changed(event.object)
            except SystemFault as error:
                LOG.warning("watch of %s ended: %s", kind.plural, error)
            await self._ports.clock.sleep(backoff)
            backoff = min(backoff * 2, LAST_BACKOFF)

    def workflow_changed(self, manifest: Manifest) -> None:
        """A FlyteWorkflow was created, changed or deleted: its execution is looked at."""
        metadata = manifest["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        known = self._executions.get(key)
        if known is None or known.resource_version != metadata["resourceVersion"]:
            self._wakeups.wake(key)

    def resource_changed(self, manifest: Manifest) -> None:
        """Something that an execution has created was changed or deleted: the node that it belongs to is looked at."""
        metadata: dict[str, Any] = dict(manifest["metadata"])
        owners = [owner for owner in metadata.get("ownerReferences") or () if owner.get("controller")]
        if not owners:
            return
        key = Key(metadata["namespace"], owners[0]["name"])
        execution = self._executions.get(key)
        if execution is None:
            return
        node_id = (metadata.get("labels") or {}).get("node-id", "")
        index = execution.element_names.get(metadata.get("name", ""), execution.index.get(node_id))
        if index is None:
            execution.inbox.whole = True
        else:
            execution.inbox.dirty.add(index)
        self._wakeups.wake(key)

    def signal_set(self, signal: SignalIdentifier) -> None:
        """A signal has got its value: the gates of its execution are looked at. For a control plane in this process;
        elsewhere gates look again themselves.
        """
        for key, execution in self._executions.items():
            if key.name == signal.execution_id.name and execution.workflow.execution == signal.execution_id:
                execution.inbox.dirty |= {i for i in execution.workflow.gate_nodes if i in execution.state.active}
                self._wakeups.wake(key)

    def execution_ended(self, key: Key) -> None:
        """An execution has ended: the node that waits for it, of another one, is looked at."""
        waiting = self._awaited.take(key)
        if waiting is None:
            return
        parent, index = waiting
        execution = self._executions.get(parent)
        if execution is not None:
            execution.inbox.dirty.add(index)
            self._wakeups.wake(parent)

    def resync(self) -> None:
        """Have everything looked at whole, whatever wake-ups were lost."""
        for key, execution in self._executions.items():
            execution.inbox.whole = True
            self._wakeups.wake(key)

    async def _keep_in_sync(self) -> None:
        while True:
            await self._ports.clock.sleep(self._ports.settings.resync_seconds)
            self.resync()

    # -- work

    async def _work(self, key: Key, places: asyncio.Semaphore) -> None:
        try:
            await self.attend(key)
        finally:
            self._wakeups.done(key)
            places.release()

    async def attend(self, key: Key) -> None:
        """Run rounds of one execution while they have something to do. Every fault ends here, with a bound."""
        try:
            await self._rounds(key)
            self._trouble.pop(key, None)
        except (Conflict, NotFound) as error:
            LOG.debug("%s: %s; it is read anew", key.name, error)
            self._executions.pop(key, None)
            self._wakeups.wake(key)
        except SystemFault as error:
            self._retry_later(key, error)
        except Exception as error:  # noqa: BLE001 - the shell's border: a fault of this program fails one workflow only
            await self._count_fault(key, error)

    async def _rounds(self, key: Key) -> None:
        execution = self._executions.get(key) or await self._load(key)
        if execution is None:
            return
        for _ in range(ROUNDS_IN_A_ROW):
            more = await run_round(execution, self._ports)
            if execution.state.phase in TERMINAL_WORKFLOW_PHASES:
                self.execution_ended(key)
            if execution.finished:
                self._executions.pop(key, None)
                return
            if not more:
                if execution.timers.next is not None:
                    wait = (execution.timers.next - self._ports.clock.now()).total_seconds()
                    self._wakeups.wake_later(key, max(wait, 0.0))
                return
        self._wakeups.wake(key)

    async def _load(self, key: Key) -> Execution | None:
        """Read an execution from what is stored. One that cannot be understood fails, once."""
        ports = self._ports
        manifest = await ports.cluster.get(FLYTE_WORKFLOW, key.namespace, key.name)
        if manifest is None or (manifest["metadata"].get("labels") or {}).get("termination-status") == "terminated":
            return None
        try:
            execution = await load(manifest, ports.store, ports.settings, self._plugin_of, None)
        except InvalidInput as error:
            if isinstance(error, StateMissing) and not await self._is_stored(manifest):
                raise Conflict(f"{key.name} was written while it was read") from error
            LOG.warning("%s: %s", key.name, error)
            await fail_workflow(manifest, str(error), ports)
            self.execution_ended(key)
            return None
        execution.awaited = self._awaited
        self._executions[key] = execution
        return execution

    async def _is_stored(self, manifest: Manifest) -> bool:
        metadata = manifest["metadata"]
        stored = await self._ports.cluster.get(FLYTE_WORKFLOW, metadata["namespace"], metadata["name"])
        return stored is not None and stored["metadata"]["resourceVersion"] == metadata["resourceVersion"]

    # -- faults

    def _retry_later(self, key: Key, error: SystemFault) -> None:
        """Infrastructure is at fault: try again for as long as it takes, ever more slowly."""
        trouble = self._trouble.setdefault(key, _Trouble())
        trouble.outages += 1
        wait = min(FIRST_BACKOFF * 2 ** min(trouble.outages - 1, 10), LAST_BACKOFF)
        LOG.warning("%s: %s; again in %.1f s", key.name, error, wait)
        if key in self._executions:
            self._executions[key].inbox.whole = True
        self._wakeups.wake_later(key, wait)

    async def _count_fault(self, key: Key, error: Exception) -> None:
        """This program is at fault: try again from what is stored, then fail the workflow."""
        trouble = self._trouble.setdefault(key, _Trouble())
        trouble.faults += 1
        LOG.exception("%s: round failed (%d of %d)", key.name, trouble.faults, MAX_SYSTEM_RETRIES)
        execution = self._executions.pop(key, None)
        text, code = f"{type(error).__name__}: {error}", "Workflow abort failed"
        if isinstance(error, TooLarge):
            text, code = "Workflow execution state is too large for Flyte to handle.", "WorkflowTooLarge"
        elif trouble.faults <= MAX_SYSTEM_RETRIES:
            self._wakeups.wake_later(key, min(FIRST_BACKOFF * 2**trouble.faults, LAST_BACKOFF))
            return
        else:
            tried = f"[{trouble.faults}/{MAX_SYSTEM_RETRIES}]"
            text = f"max number of system retry attempts {tried} exhausted. Last known status message: {text}"
        try:
            manifest = await self._ports.cluster.get(FLYTE_WORKFLOW, key.namespace, key.name)
            if manifest is not None:
                children = children_of(execution) if execution is not None else []
                await fail_workflow(manifest, text, self._ports, code=code, children=children)
                self.execution_ended(key)
        except SystemFault as fault:
            self._retry_later(key, fault)
