"""Pods over the embedded cluster, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyte_core.cluster import POD
from flyte_core.testing.fakes import MemoryStore
from flyte_propeller.adapters.embedded import EmbeddedCluster
from flyte_propeller.adapters.embedded.environments import Environment, ImageTable

NAMESPACE = "p-d"


def manifest(name: str, *args: str, **more: Any) -> dict[str, Any]:
    """Return a pod of one container; ``metadata`` and ``container`` are merged in, the rest goes to its spec."""
    container = {"name": "main", "image": "img:1", "args": list(args), **more.pop("container", {})}
    metadata = {"namespace": NAMESPACE, "name": name, **more.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **more}}


class Pods:
    """A cluster, and what tests ask of it."""

    def __init__(self, cluster: EmbeddedCluster, store: MemoryStore, folder: Path) -> None:
        self.cluster = cluster
        self.store = store
        self.folder = folder

    async def shown(self, name: str, test: Callable[[Any], Any], seconds: float = 20) -> Any:
        """Return the pod once the test likes it; None is a pod that is gone."""
        async with asyncio.timeout(seconds):
            while True:
                pod = await self.cluster.get(POD, NAMESPACE, name)
                if test(pod):
                    return pod
                await asyncio.sleep(0.01)

    async def ended(self, name: str) -> Any:
        return await self.shown(name, lambda pod: (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"))

    async def run(self, name: str, *args: str, **more: Any) -> Any:
        await self.cluster.create(manifest(name, *args, **more))
        return await self.ended(name)

    async def running(self, name: str, *args: str, **more: Any) -> Any:
        await self.cluster.create(manifest(name, *args, **more))
        return await self.shown(name, lambda pod: (pod.get("status") or {}).get("phase") == "Running")

    async def delete(self, name: str, grace_seconds: int = 5) -> None:
        await self.cluster.delete(POD, NAMESPACE, name, grace_seconds=grace_seconds)
        await self.shown(name, lambda pod: pod is None)

    def log(self, name: str, container: str = "main") -> str:
        return self.cluster.log_file(NAMESPACE, name, container).read_text()

    async def logged(self, name: str, text: str = "\n") -> str:
        async with asyncio.timeout(20):
            while not (self.cluster.log_file(NAMESPACE, name, "main").exists() and text in self.log(name)):
                await asyncio.sleep(0.01)
        return self.log(name)

    async def no_folder_left(self) -> None:
        async with asyncio.timeout(10):
            while list((self.folder / "attempts").iterdir()):
                await asyncio.sleep(0.01)


def exit_code(pod: Any, container: int = 0) -> int:
    code: int = pod["status"]["containerStatuses"][container]["state"]["terminated"]["exitCode"]
    return code


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def environment(folder: Path) -> Path:
    """Return the interpreter of an environment without packages: warm in a moment."""
    scripts = folder / "env" / "bin"
    scripts.mkdir(parents=True, exist_ok=True)
    if not (scripts / "python").exists():
        (scripts / "python").symlink_to(os.path.realpath(sys.executable))
    return scripts / "python"


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return environment(tmp_path)


@pytest.fixture
async def pods(tmp_path: Path, python: Path) -> AsyncIterator[Pods]:
    store = MemoryStore()
    images = ImageTable((), Environment(python))
    cluster = await EmbeddedCluster.open(
        tmp_path / "c", store=store, images=images, log_limit=200_000, memory_limits=True
    )
    yield Pods(cluster, store, tmp_path / "c")
    await cluster.close()


@pytest.fixture(autouse=True)
def no_process_left(tmp_path: Path) -> Iterator[None]:
    """Fail a test that leaves a process which works in its folder."""
    yield
    left = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{entry}/cwd").startswith(str(tmp_path)) and alive(int(entry)):
                left.append(entry)
        except OSError:
            continue
    for entry in left:
        os.kill(int(entry), signal.SIGKILL)
    assert not left
