"""One pod on this machine: starts its containers as processes, learns of their ends, ends them early when asked to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from flyte_core.cluster import Manifest
from flyte_core.errors import Unavailable
from flyte_propeller.adapters.embedded import container as containers
from flyte_propeller.adapters.embedded import pod_status, processes
from flyte_propeller.adapters.embedded.attempt_folder import AttemptFolder, Ending
from flyte_propeller.adapters.embedded.container import Machine, Ready
from flyte_propeller.adapters.embedded.pod_status import Cause, State
from flyte_propeller.adapters.embedded.processes import Claim

LOST = Ending(-signal.SIGKILL, "ContainerStatusUnknown")
"""Of a process whose end nobody saw: a kubelet says so with exit code 137."""
EXIT_FILE_SECONDS = 5.0
"""How long the end of a process may be ahead of the file that says how it ended."""
CLAIM_SECONDS = 0.2
"""How long a claim may be ahead of its lock."""
LOOK_SECONDS = 0.5
"""Between two looks at the descendants of a process that is not this server's."""
PRIMARY = "primary_container_name"
"""Annotation: the container whose end decides."""


class RunningPod:
    """The processes of one pod.

    :ivar started: when the first container was started, as Kubernetes prints it
    :ivar is_started: whether all containers have been
    :ivar cause: why the pod was ended, if it was
    """

    def __init__(self, manifest: Manifest, folder: AttemptFolder, machine: Machine) -> None:
        self.manifest = manifest
        self.started = (manifest.get("status") or {}).get("startTime") or pod_status.now()
        self.is_started = False
        self.cause: Cause | None = None
        self._folder = folder
        self._machine = machine
        self._ends: dict[str, asyncio.Future[Ending]] = {}
        self._work: set[asyncio.Task[Any]] = set()

    @property
    def primary(self) -> str:
        """The container that decides, empty where all do."""
        name: str = (self.manifest["metadata"].get("annotations") or {}).get(PRIMARY, "")
        return name if name in self._names() else ""

    def deadline(self) -> float | None:
        """Return the seconds that are left of ``activeDeadlineSeconds``, None where there is no such limit."""
        limit = self.manifest["spec"].get("activeDeadlineSeconds")
        if limit is None:
            return None
        return float(limit) - (datetime.now(UTC) - datetime.fromisoformat(self.started)).total_seconds()

    async def start(self) -> None:
        """Start every container, or adopt those that an earlier server has started. May be called again.

        :raises CannotStart: if one can never be started
        :raises flyte_core.errors.SystemFault: if one cannot be started now
        """
        containers.check(self.manifest)
        self._folder.create()
        for container in self.manifest["spec"]["containers"]:
            name = container["name"]
            if name in self._ends:
                continue
            if not self._folder.claim_file(name).exists():
                ready = await self._own(containers.ready(self.manifest, container, self._folder, self._machine))
                if await self._fork(name, ready):
                    continue
            self._adopt(name)
        self.is_started = True

    async def ended(self, names: Iterable[str] = ()) -> None:
        """Wait for the end of these containers, by default of all."""
        await asyncio.wait([self._ends[name] for name in names or self._names()])

    def states(self) -> dict[str, State]:
        """Return the states of the containers as they are now."""
        return {name: self._state(name) for name in self._names()}

    async def kill(self, grace_seconds: float, *, only: Iterable[str] = (), cause: Cause | None = None) -> None:
        """End processes: SIGTERM, then after the grace SIGKILL, with all that they have started.

        :param only: these containers, by default all
        :param cause: what to say of it, if any of them was alive
        """
        names = list(only or self._folder.containers())
        claims = [claim for name in names if (claim := await self._claim(name)) is not None]
        alive = list(filter(processes.exists, claims))
        if alive and cause is not None and self.cause is None:
            self.cause = cause
        below = set().union(*map(processes.descendants, alive))
        for claim in alive if grace_seconds else ():
            processes.terminate(claim)
        if alive and grace_seconds:
            waits = [asyncio.create_task(processes.ended(claim)) for claim in alive]
            _, pending = await asyncio.wait(waits, timeout=grace_seconds)
            for wait in pending:
                wait.cancel()
        for claim in alive:
            processes.kill(claim, below)
        if any(self._folder.ending(name) is None for name in names):  # else a warm parent has seen to it
            for claim in claims:
                processes.kill(claim, processes.left_in_session(claim, self._folder.path))

    async def seal(self) -> None:
        """Let nothing be started any more: by this server, or by what is left of an earlier one."""
        if self._work:
            await asyncio.wait(self._work)
        self._folder.seal(self._names())

    def _names(self) -> list[str]:
        return [container["name"] for container in self.manifest["spec"].get("containers") or ()]

    def _state(self, name: str) -> State:
        end = self._ends[name]
        if not end.done():
            return pod_status.running(self.started)
        code, reason = end.result()
        metadata = self.manifest["metadata"]
        log = self._machine.log_file(metadata["namespace"], metadata["name"], name)
        return pod_status.terminated(code, self.started, pod_status.tail(log) if code != 0 else "", reason)

    async def _own(self, work: Any) -> Ready:
        """Let work go on when its caller is cancelled: it writes into the folder, from a thread."""
        task: asyncio.Task[Ready] = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return await asyncio.shield(task)

    async def _fork(self, name: str, ready: Ready) -> bool:
        """Have the process started; return False if somebody else has."""
        end: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

        def on_end(ending: Ending | None) -> None:
            if ending is None:
                self._follow(name, end)
            elif not end.done():
                end.set_result(ending)

        parent = await self._machine.warm.of(ready.python)
        try:
            started = await parent.run(ready.request, on_end)
        except Unavailable:
            if not self._folder.claim_file(name).exists():
                raise
            started = False  # the warm parent had started it before it died
        if started:
            self._ends[name] = end
        return started

    def _adopt(self, name: str) -> None:
        end = self._ends[name] = asyncio.get_running_loop().create_future()
        self._follow(name, end)

    def _follow(self, name: str, end: asyncio.Future[Ending]) -> None:
        task = asyncio.create_task(self._learn_end(name, end))
        task.add_done_callback(lambda _: _settle(end, task))

    async def _learn_end(self, name: str, end: asyncio.Future[Ending]) -> None:
        """Learn of the end of a process that is not this server's child, from what its warm parent leaves on disk."""
        claim = await self._claim(name)
        below: set[Claim] = set()
        if claim is not None:
            wait = asyncio.create_task(processes.ended(claim))
            while not wait.done():
                below = processes.descendants(claim) or below
                await asyncio.wait([wait], timeout=LOOK_SECONDS)
        parent = self._folder.warm_parent(name)
        deadline = asyncio.get_running_loop().time() + EXIT_FILE_SECONDS
        while parent is not None and self._folder.ending(name) is None and processes.exists(parent):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.02)
        ending = self._folder.ending(name)
        if claim is not None:
            left = processes.left_in_session(claim, self._folder.path) if ending is None else set()
            processes.kill(claim, below | left)
        if not end.done():
            end.set_result(ending or LOST)

    async def _claim(self, name: str) -> Claim | None:
        """Return who has the container; None when nobody has it, or died before saying so."""
        unlocked_since: float | None = None
        while (claim := self._folder.claim(name)) is None and self._folder.claim_file(name).exists():
            if self._folder.is_sealed(name):
                break
            if self._folder.is_being_claimed(name):
                unlocked_since = None
            else:
                now = asyncio.get_running_loop().time()
                unlocked_since = unlocked_since or now
                if now - unlocked_since >= CLAIM_SECONDS or self._folder.ending(name) is not None:
                    break
            await asyncio.sleep(0.005)
        return claim


def _settle(end: asyncio.Future[Ending], task: asyncio.Task[None]) -> None:
    """Do not let anybody wait for the end of a process when the wait itself has failed."""
    if not end.done() and not task.cancelled() and (error := task.exception()) is not None:
        end.set_exception(error)


def stray(folder: AttemptFolder, machine: Machine) -> RunningPod:
    """Return what is left of a pod of which there is only the folder."""
    nothing: Mapping[str, Any] = {"metadata": {"uid": folder.path.name}, "spec": {}}
    return RunningPod(nothing, folder, machine)
