"""The embedded cluster: a Kubernetes API in miniature over one file, and a kubelet that runs pods as processes."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

from flyte_core.cluster import Kind, Listing, WatchEvent
from flyte_core.errors import ConfigError
from flyte_core.storage import BlobStore
from flyte_propeller.adapters.embedded.container import LOG_LIMIT, Machine
from flyte_propeller.adapters.embedded.environments import ImageTable
from flyte_propeller.adapters.embedded.kubelet import Kubelet
from flyte_propeller.adapters.embedded.object_store import ObjectStore
from flyte_propeller.adapters.embedded.secrets import SecretSource
from flyte_propeller.adapters.embedded.warm import WarmParents

LOG = logging.getLogger(__name__)


class EmbeddedCluster:
    """Implements :class:`flyte_core.cluster.Cluster` on this machine.

    Children of a server that dies live on; the next one adopts them. Children of a server that is stopped end with it.
    """

    def __init__(self, folder: Path, lock: int, objects: ObjectStore, machine: Machine) -> None:
        self._lock = lock
        self._objects = objects
        self._machine = machine
        self._kubelet = Kubelet(objects, folder / "attempts", machine)
        self._task = asyncio.create_task(self._kubelet.run(), name="kubelet")
        self._task.add_done_callback(_log_end)
        self.create = objects.create
        self.get = objects.get
        self.replace = objects.replace
        self.delete = objects.delete

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        store: BlobStore,
        images: ImageTable | None = None,
        secrets: Path | None = None,
        log_limit: int = LOG_LIMIT,
        memory_limits: bool = False,
    ) -> EmbeddedCluster:
        """Open or make the cluster in that folder.

        :param secrets: folder of secrets by group and key; ``secrets`` in that folder without it
        :param log_limit: bytes of one container's log; what is over it is cut from the middle
        :param memory_limits: end containers that take more than their ``resources.limits.memory`` (OOMKilled)
        :raises flyte_core.errors.ConfigError: if another process has it open
        :raises flyte_core.errors.Unavailable: if its file cannot be read
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = lock_folder(folder)
        try:
            objects = ObjectStore(folder / "cluster.db")
        except BaseException:
            os.close(lock)
            raise
        warm = WarmParents(folder / "warm")
        warm.remove_strays()
        source = SecretSource(secrets or folder / "secrets")
        machine = Machine(store, images or ImageTable(), warm, folder / "logs", source, log_limit, memory_limits)
        return cls(folder, lock, objects, machine)

    async def warm(self, python: Path) -> None:
        """Start the warm parent of an environment ahead of its first task."""
        await self._machine.warm.of(python)

    async def list(self, kind: Kind, *, namespace: str | None = None, labels: str = "") -> Listing:
        """See the port."""
        return await self._objects.list(kind, namespace=namespace, labels=labels)

    def watch(
        self, kind: Kind, *, namespace: str | None = None, labels: str = "", since: str
    ) -> AsyncIterator[WatchEvent]:
        """See the port."""
        return self._objects.watch(kind, namespace=namespace, labels=labels, since=since)

    def log_file(self, namespace: str, pod: str, container: str) -> Path:
        """Return where a container's output is; it need not exist."""
        return self._machine.log_file(namespace, pod, container)

    async def close(self) -> None:
        """End all processes and close the file."""
        await self._kubelet.stop()
        self._task.cancel()
        await asyncio.wait([self._task])
        await asyncio.to_thread(self._objects.close)
        os.close(self._lock)


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        LOG.critical("the kubelet has ended: no pod is run any more", exc_info=error)


def lock_folder(folder: Path) -> int:
    """Take the folder for this process; return the descriptor that holds it.

    :raises flyte_core.errors.ConfigError: naming the process that has it
    """
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode().strip()
        os.close(descriptor)
        raise ConfigError(
            f"{folder} is in use by process {holder or 'unknown'}: stop that `flyte up`, or choose another folder "
            "with --data"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
