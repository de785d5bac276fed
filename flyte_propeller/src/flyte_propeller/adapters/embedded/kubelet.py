"""The kubelet: runs the pods of the object store as local processes, and writes what becomes of them."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from flyte_core.cluster import POD, Manifest
from flyte_core.errors import Conflict, FlyteError, NotFound, SystemFault
from flyte_propeller.adapters.embedded import pod_status
from flyte_propeller.adapters.embedded.attempt_folder import AttemptFolder
from flyte_propeller.adapters.embedded.object_store import ObjectStore
from flyte_propeller.adapters.embedded.running_pod import CannotStart, Machine, RunningPod

LOG = logging.getLogger(__name__)
ENDED = ("Succeeded", "Failed")
STOP_GRACE_SECONDS = 2.0
STARTS_AT_ONCE = 8
"""Pods whose start is prepared at the same time."""


class Kubelet:
    """Runs pods.

    :param folder: one folder a pod below it
    """

    def __init__(self, objects: ObjectStore, folder: Path, machine: Machine) -> None:
        self._objects = objects
        self._folder = folder
        self._machine = machine
        self._pods: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, RunningPod] = {}
        self._starts = asyncio.Semaphore(STARTS_AT_ONCE)
        self._stopping = False

    async def run(self) -> None:
        """Run until cancelled: take over what an earlier server left, then follow the pods."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        listing = await self._objects.list(POD)
        await self._remove_strays({pod["metadata"]["uid"] for pod in listing.items})
        for pod in listing.items:
            self._take(pod)
        async for event in self._objects.watch(POD, since=listing.resource_version):
            if event.type == "DELETED":
                self._let_go(event.object)
            else:
                self._take(event.object)

    async def stop(self) -> None:
        """End all processes, and say so in the status of their pods."""
        self._stopping = True
        running = list(self._running.values())
        await asyncio.gather(*(pod.kill(STOP_GRACE_SECONDS) for pod in running))
        tasks = list(self._pods.values())
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_GRACE_SECONDS)
        for task in tasks:
            task.cancel()

    def _take(self, pod: Manifest) -> None:
        uid = pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            self._spawn(f"{uid}/delete", self._delete(pod))
        elif (pod.get("status") or {}).get("phase") not in ENDED and uid not in self._pods:
            self._spawn(uid, self._run_pod(pod))

    def _let_go(self, pod: Manifest) -> None:
        folder = AttemptFolder(self._folder / pod["metadata"]["uid"])
        self._spawn(f"{pod['metadata']['uid']}/remove", asyncio.to_thread(folder.remove))

    def _spawn(self, name: str, work: Any) -> None:
        if name in self._pods or self._stopping:
            work.close()
            return
        task = self._pods[name] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._pods.pop(name, None))

    async def _run_pod(self, pod: Manifest) -> None:
        """Run one pod to its end."""
        metadata = pod["metadata"]
        folder = AttemptFolder(self._folder / metadata["uid"])
        running = RunningPod(pod, folder, self._machine)
        try:
            async with self._starts:
                folder.create({"namespace": metadata["namespace"], "name": metadata["name"]})
                self._running[metadata["uid"]] = running
                await running.start()
            await self._write_status(pod, pod_status.running(pod, running.started))
            states = await running.wait()
            reason = "NodeShutdown" if self._stopping else ""
            await self._write_status(pod, pod_status.ended(pod, states, reason))
        except CannotStart as error:
            await running.kill(0)
            await self._write_status(pod, pod_status.waiting(pod, error.reason, str(error)))
        except (FlyteError, OSError) as error:
            LOG.exception("pod %s", metadata["name"])
            await running.kill(0)
            await self._write_status(pod, pod_status.waiting(pod, "CreateContainerConfigError", str(error)))
        finally:
            self._running.pop(metadata["uid"], None)

    async def _write_status(self, pod: Manifest, status: dict[str, Any]) -> None:
        """Write the status, over whatever else has changed of the pod meanwhile."""
        metadata = pod["metadata"]
        while True:
            stored = await self._objects.get(POD, metadata["namespace"], metadata["name"])
            if stored is None or stored["metadata"]["uid"] != metadata["uid"]:
                return
            if (stored.get("status") or {}).get("phase") in ENDED:
                return
            try:
                await self._objects.replace({**stored, "status": status})
                return
            except Conflict:
                continue
            except NotFound:
                return

    async def _delete(self, pod: Manifest) -> None:
        """End the processes of a pod that is to be deleted, then let it go."""
        metadata = pod["metadata"]
        uid = metadata["uid"]
        folder = AttemptFolder(self._folder / uid)
        grace = float(metadata.get("deletionGracePeriodSeconds", 30))
        running = self._running.get(uid) or RunningPod(pod, folder, self._machine)
        await running.kill(grace)
        main = self._pods.get(uid)
        if main is not None:
            await asyncio.wait([main], timeout=5)
            main.cancel()
        try:
            await self._objects.delete(POD, metadata["namespace"], metadata["name"], uid=uid, grace_seconds=0)
        except SystemFault as error:
            LOG.warning("pod %s stays: %s", metadata["name"], error)

    async def _remove_strays(self, known: set[str]) -> None:
        """End and remove what belongs to pods that are no longer there."""
        for path in self._folder.iterdir():
            if path.name not in known:
                folder = AttemptFolder(path)
                stray = RunningPod({"metadata": {}, "spec": {"containers": []}}, folder, self._machine)
                await stray.kill(STOP_GRACE_SECONDS)
                await asyncio.to_thread(folder.remove)
