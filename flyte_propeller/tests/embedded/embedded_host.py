"""A program for tests: opens an embedded cluster, creates the pods named on its command line and stdin."""

import asyncio
import sys
from pathlib import Path

from flyte_core.testing.fakes import MemoryStore
from flyte_propeller.adapters.embedded import EmbeddedCluster
from flyte_propeller.adapters.embedded.environments import Environment, ImageTable


async def main(folder: Path, python: Path, pods: list[str]) -> None:
    images = ImageTable((), Environment(python))
    cluster = await EmbeddedCluster.open(folder, store=MemoryStore(), images=images, log_limit=200_000)
    print("open", flush=True)
    lines = asyncio.Queue[str]()
    for pod in pods:
        lines.put_nowait(pod)
    asyncio.get_running_loop().add_reader(0, lambda: lines.put_nowait(sys.stdin.readline().rstrip("\n")))
    while pod := await lines.get():
        name, script = pod.split("=", 1)
        container = {"name": "main", "image": "i", "args": ["sh", "-c", script]}
        metadata = {"namespace": "p-d", "name": name}
        await cluster.create(
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
        )


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
