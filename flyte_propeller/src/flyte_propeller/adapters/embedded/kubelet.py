"""The kubelet: runs the pods of the object store as local processes, and writes what becomes of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from flyte_core.cluster import POD, Manifest
from flyte_core.errors import Conflict, SystemFault
from flyte_propeller.adapters.embedded import pod_status
from flyte_propeller.adapters.embedded.attempt_folder import AttemptFolder
from flyte_propeller.adapters.embedded.container import CannotStart, Machine
from flyte_propeller.adapters.embedded.copilot import has_copilot
from flyte_propeller.adapters.embedded.object_store import GRACE_SECONDS, ObjectStore
from flyte_propeller.adapters.embedded.pod_status import Cause
from flyte_propeller.adapters.embedded.running_pod import RunningPod, stray

LOG = logging.getLogger(__name__)
ENDED = ("Succeeded", "Failed")
STOP_GRACE_SECONDS = 2.0
STARTS_AT_ONCE = 32
"""Pods whose start is prepared at the same time."""
QUICK_SECONDS = 0.03
"""A pod that ends within this time is never shown as Running: one write and one round of its watchers less."""
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Between attempts to start a pod, when it is not the pod's fault; the last one counts for all later ones."""
STOPPED = Cause("NodeShutdown", "flyte up was stopped while the pod ran")
OVERDUE = Cause("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class Kubelet:
    """Runs pods.

    :param folder: one folder a pod below it
    """

    def __init__(self, objects: ObjectStore, folder: Path, machine: Machine) -> None:
        self._objects = objects
        self._folder = folder
        self._machine = machine
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, RunningPod] = {}
        self._starts = asyncio.Semaphore(STARTS_AT_ONCE)
        self._stopping = False

    async def run(self) -> None:
        """Run until cancelled: take over what an earlier server left, then follow the pods.

        :raises flyte_core.errors.SystemFault: if the object store has ended
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            listing = await self._objects.list(POD)
            self._remove_strays({pod["metadata"]["uid"] for pod in listing.items})
            for pod in listing.items:
                self._take(pod)
            try:
                async for event in self._objects.watch(POD, since=listing.resource_version):
                    if event.type == "DELETED":
                        self._spawn(f"{event.object['metadata']['uid']}/remove", self._remove(event.object))
                    else:
                        self._take(event.object)
            except Conflict:
                LOG.warning("the kubelet was too slow for the history of changes; it lists the pods again")

    async def stop(self) -> None:
        """End all processes, and say so in the status of their pods. Pods not started yet stay for the next server."""
        self._stopping = True
        for uid, running in self._running.items():
            if not running.is_started and uid in self._tasks:
                self._tasks[uid].cancel()
        await asyncio.gather(*(pod.kill(STOP_GRACE_SECONDS, cause=STOPPED) for pod in self._running.values()))
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=STOP_GRACE_SECONDS)
            for task in late:
                task.cancel()
        await self._machine.warm.end()

    def _take(self, pod: Manifest) -> None:
        uid = pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            self._spawn(f"{uid}/delete", self._delete(pod))
        elif (pod.get("status") or {}).get("phase") not in ENDED:
            self._spawn(uid, self._run_pod(pod))

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin work, unless work of that name is under way."""
        if name in self._tasks or self._stopping:
            work.close()
            return
        task = self._tasks[name] = asyncio.create_task(work, name=f"pod {name}")
        task.add_done_callback(lambda _: self._done(name, task))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("pod %s", name, exc_info=error)

    def _attempt(self, uid: str) -> AttemptFolder:
        return AttemptFolder(self._folder / uid)

    async def _run_pod(self, pod: Manifest) -> None:
        """Run one pod to its end."""
        uid = pod["metadata"]["uid"]
        running = self._running[uid] = RunningPod(pod, self._attempt(uid), self._machine)
        try:
            if await self._start(running):
                await self._follow(running)
        except Exception as error:
            LOG.exception("pod %s", pod["metadata"]["name"])
            await running.kill(0)
            await self._objects.set_status(pod, pod_status.lost(pod, f"{type(error).__name__}: {error}"))
        finally:
            self._running.pop(uid, None)

    async def _start(self, running: RunningPod) -> bool:
        """Start the pod; try again where it is this machine's fault. Return False if it can never be started."""
        pod = running.manifest
        for attempt in range(10**9):
            try:
                async with self._starts:
                    await running.start()
                return True
            except CannotStart as error:
                await running.kill(0)
                await self._objects.set_status(pod, pod_status.waiting(pod, error.reason, str(error)))
                return False
            except (SystemFault, OSError) as error:
                LOG.warning("pod %s cannot be started now: %s", pod["metadata"]["name"], error)
                await self._objects.set_status(pod, pod_status.waiting(pod, "ContainerCreating", str(error)))
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
        return False

    async def _follow(self, running: RunningPod) -> None:
        """Write what becomes of a pod that has started."""
        pod, primary = running.manifest, running.primary
        left = running.deadline()
        timer = None
        if left is not None:
            name = f"{pod['metadata']['uid']}/deadline"
            loop = asyncio.get_running_loop()
            timer = loop.call_later(max(0.0, left), lambda: self._spawn(name, running.kill(_grace(pod), cause=OVERDUE)))
        deciding = [primary] if primary else []
        ends = asyncio.ensure_future(running.ended(deciding))
        try:
            await asyncio.wait([ends], timeout=QUICK_SECONDS)
            if not ends.done() and (pod.get("status") or {}).get("phase") != "Running":
                await self._objects.set_status(pod, pod_status.alive(pod, running.states(), running.started))
            await ends
            await self._end_sidecars(running)
            status = pod_status.ended(pod, running.states(), running.started, primary, running.cause)
            await self._objects.set_status(pod, status)
        finally:
            ends.cancel()
            if timer is not None:
                timer.cancel()

    async def _end_sidecars(self, running: RunningPod) -> None:
        """End the containers that the primary one has left running; its own end is shown first."""
        pod, states = running.manifest, running.states()
        rest = [name for name, state in states.items() if "running" in state]
        if rest:
            await self._objects.set_status(pod, pod_status.alive(pod, states, running.started))
            await running.kill(_grace(pod), only=rest)
            await running.ended()

    async def _delete(self, pod: Manifest) -> None:
        """End the processes of a pod that is to be deleted, then let it go."""
        metadata = pod["metadata"]
        await self._end(pod, float(metadata.get("deletionGracePeriodSeconds", GRACE_SECONDS)))
        await self._objects.delete(POD, metadata["namespace"], metadata["name"], uid=metadata["uid"], grace_seconds=0)

    async def _end(self, pod: Manifest, grace_seconds: float) -> None:
        """End the processes of a pod, and let none be started later."""
        uid = pod["metadata"]["uid"]
        main = self._tasks.get(uid)
        running = self._running.get(uid) or RunningPod(pod, self._attempt(uid), self._machine)
        if main is not None and not running.is_started:
            main.cancel()
            await asyncio.wait([main])
        await running.seal()
        await running.kill(grace_seconds)
        if main is not None:
            await asyncio.wait([main], timeout=STOP_GRACE_SECONDS)
            main.cancel()

    async def _remove(self, pod: Manifest) -> None:
        """Remove what is left of a pod that is no longer there; its deletion may have been forced."""
        await self._end(pod, 0)
        await self._remove_folder(self._attempt(pod["metadata"]["uid"]))

    async def _remove_folder(self, folder: AttemptFolder) -> None:
        # Once it is hidden no process can be started there; those that were have their claims in it.
        hidden = folder.hide()
        await stray(hidden, self._machine).kill(0)
        await asyncio.to_thread(hidden.remove)

    def _remove_strays(self, known: set[str]) -> None:
        """End and remove what belongs to pods that are no longer there."""
        for path in self._folder.iterdir():
            uid = path.name
            if uid not in known and uid not in self._tasks and f"{uid}/remove" not in self._tasks:
                self._spawn(f"{uid}/stray", self._remove_folder(AttemptFolder(path)))


def _grace(pod: Manifest) -> float:
    if has_copilot(pod):
        return GRACE_SECONDS  # the pod's own is meant for the upload, which here is over when the command's process is
    return float(pod["spec"].get("terminationGracePeriodSeconds", GRACE_SECONDS))
