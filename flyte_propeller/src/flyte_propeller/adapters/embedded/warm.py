"""The server's side of warm parents: one process per environment, started on demand, restarted when it dies."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import shutil
import socket
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flyte_core.errors import Unavailable
from flyte_propeller.adapters.embedded.attempt_folder import Ending

LOG = logging.getLogger(__name__)
PROGRAM = Path(__file__).with_name("warm_parent.py")
PRIMERS = Path(__file__).with_name("warm_primers.py")
PREIMPORTED = (
    "flytekit",
    "flytekit.bin.entrypoint",
    "flytekit.core.python_auto_container",
    "flytekit.core.array_node_map_task",
    "flytekit.core.data_persistence",
    "docstring_parser",
    "s3fs",
    "aiobotocore.session",
    "fsspec.implementations.local",
    "flyte_kit",
    "flyte_kit.entrypoint",
)
"""Modules that tasks need at their start; those that an environment lacks are left out."""
END_SECONDS = 5.0
"""How long a warm parent may take to end with its children."""

OnEnd = Callable[[Ending | None], None]
"""Called once, with how a child ended; with None when the warm parent has died and nobody will tell."""


class WarmParent:
    """One warm parent and the children that it was asked for."""

    def __init__(
        self,
        python: Path,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.alive = True
        self._python = python
        self._process = process
        self._writer = writer
        self._starts: dict[str, asyncio.Future[bool]] = {}
        self._ends: dict[str, OnEnd] = {}
        self._reading = asyncio.create_task(self._read(reader), name=f"warm parent of {python}")

    @classmethod
    async def start(cls, python: Path, temporary: Path) -> WarmParent:
        """Start the process; it imports in its own time, and takes requests afterwards.

        :param temporary: folder for its temporary files; the process makes it, and removes it at its end
        :raises flyte_core.errors.Unavailable: if the interpreter cannot be started
        """
        ours, theirs = socket.socketpair()
        environment = {
            "PATH": f"{python.parent}:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "FLYTE_SDK_LOGGING_LEVEL": "40",
        }
        try:
            process = await asyncio.create_subprocess_exec(
                str(python),
                str(PROGRAM),
                *PREIMPORTED,
                str(PRIMERS),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise Unavailable(f"{python} cannot be started: {error}") from error
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(python, process, reader, writer)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    async def run(self, request: Mapping[str, Any], on_end: OnEnd) -> bool:
        """Have a child forked. ``on_end`` is called when it has ended, also if this call is cancelled meanwhile.

        :returns: False if somebody else has started that attempt; ``on_end`` is never called then
        :raises flyte_core.errors.Unavailable: if the warm parent has died or cannot fork; ``on_end`` is never called
        """
        if not self.alive:
            raise self._death()
        identity: str = request["id"]
        started: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._starts[identity] = started
        self._ends[identity] = on_end
        self._writer.write(json.dumps(request).encode() + b"\n")
        return await started

    async def end(self) -> None:
        """Kill all children, and what is still to be started, and wait for the end of the process."""
        if self.alive:
            self._writer.write(b'{"end": true}\n')
        try:
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        except TimeoutError:
            LOG.warning("the warm parent of %s does not end; it is killed", self._python)
            self._process.kill()
            await self._process.wait()
        await asyncio.wait([self._reading])
        self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._take(json.loads(line))
        except (OSError, ValueError) as error:
            LOG.warning("the warm parent of %s: %s", self._python, error)
        finally:
            self.alive = False
            self._writer.close()
            starts, ends, self._starts, self._ends = self._starts, self._ends, {}, {}
            for identity, started in starts.items():
                ends.pop(identity, None)
                if not started.done():
                    started.set_exception(self._death())
            for on_end in ends.values():
                on_end(None)

    def _take(self, answer: Mapping[str, Any]) -> None:
        identity = answer["id"]
        if "code" in answer:
            self._ends.pop(identity)(Ending(answer["code"], answer["reason"]))
            return
        if "pid" not in answer:
            self._ends.pop(identity)
        started = self._starts.pop(identity)
        if started.done():
            return
        if "refused" in answer:
            started.set_exception(Unavailable(f"the container cannot be started: {answer['refused']}"))
        else:
            started.set_result("pid" in answer)

    def _death(self) -> Unavailable:
        return Unavailable(f"the warm parent of {self._python} has died")


class WarmParents:
    """All warm parents of this server.

    :param folder: for the temporary files of each
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parents: dict[Path, WarmParent] = {}
        self._starting: dict[Path, asyncio.Lock] = {}
        self._ended = False

    def remove_strays(self) -> None:
        """Remove the temporary files of warm parents that were killed; those that live keep theirs."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for path in self._folder.iterdir():
            if not _is_locked(path):
                shutil.rmtree(path, ignore_errors=True)

    async def of(self, python: Path) -> WarmParent:
        """Return the warm parent of that environment, started if there is none.

        :raises flyte_core.errors.Unavailable: if it cannot be started
        """
        lock = self._starting.setdefault(python, asyncio.Lock())
        async with lock:
            if self._ended:
                raise Unavailable("the cluster is stopped")
            parent = self._parents.get(python)
            if parent is None or not parent.alive:
                parent = self._parents[python] = await WarmParent.start(python, self._folder / uuid.uuid4().hex)
            return parent

    async def end(self) -> None:
        """Kill all children, and wait for the end of the processes."""
        self._ended = True
        await asyncio.gather(*(parent.end() for parent in self._parents.values()))


def _is_locked(folder: Path) -> bool:
    """Tell whether the process that made the folder still lives."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
