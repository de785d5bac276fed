"""The server's side of warm parents: one process per environment, started on demand, restarted when it dies."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flyte_core.errors import Unavailable

LOG = logging.getLogger(__name__)
PROGRAM = Path(__file__).with_name("warm_parent.py")
PREIMPORTED = (
    "flytekit",
    "flytekit.bin.entrypoint",
    "flytekit.core.python_auto_container",
    "flytekit.core.array_node_map_task",
    "flytekit.core.data_persistence",
    "s3fs",
    "aiobotocore.session",
    "fsspec.implementations.local",
    "flyte_kit",
    "flyte_kit.entrypoint",
)
"""Modules that tasks need at their start; those that an environment lacks are left out."""

OnExit = Callable[[int], None]
"""Called with the exit code; negative: ended by that signal."""


class WarmParent:
    """One warm parent and the children that it was asked for."""

    def __init__(self, python: Path, process: asyncio.subprocess.Process, connection: socket.socket) -> None:
        self.python = python
        self.process = process
        self._connection = connection
        self._exits: dict[str, OnExit] = {}
        self._pids: dict[str, asyncio.Future[int]] = {}
        self.alive = True
        self._on_death: list[Callable[[], None]] = []
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, python: Path) -> WarmParent:
        """Start the process; it imports in its own time, and takes requests afterwards.

        :raises flyte_core.errors.Unavailable: if the interpreter cannot be started
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["FLYTE_SDK_LOGGING_LEVEL"] = "40"
        try:
            process = await asyncio.create_subprocess_exec(
                str(python),
                str(PROGRAM),
                *PREIMPORTED,
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
        return cls(python, process, ours)

    async def run(self, request: dict[str, Any], on_exit: OnExit) -> int:
        """Have a child forked; return its pid. ``on_exit`` is called once it has ended.

        :raises flyte_core.errors.Unavailable: if the warm parent has died
        """
        identity: str = request["id"]
        pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pids[identity], self._exits[identity] = pid, on_exit
        try:
            line = json.dumps(request).encode() + b"\n"
            await asyncio.get_running_loop().sock_sendall(self._connection, line)
            return await pid
        except OSError as error:
            raise Unavailable(f"the warm parent of {self.python} has died: {error}") from error

    def watch_death(self, told: Callable[[], None]) -> None:
        """Have somebody told when this warm parent dies: its children have nobody to report their ends then."""
        self._on_death.append(told)

    def close(self) -> None:
        """Let go; the process ends with its last child."""
        self.alive = False
        self._reader.cancel()
        self._connection.close()

    async def _read(self) -> None:
        buffer = b""
        loop = asyncio.get_running_loop()
        try:
            while data := await loop.sock_recv(self._connection, 1 << 16):
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    self._take(json.loads(line))
        except OSError as error:
            LOG.warning("warm parent of %s: %s", self.python, error)
        finally:
            died, self.alive = self.alive, False
            for told in self._on_death if died else ():
                told()
            for pid in self._pids.values():
                if not pid.done():
                    pid.set_exception(Unavailable(f"the warm parent of {self.python} has died"))

    def _take(self, answer: dict[str, Any]) -> None:
        identity = answer.get("id", "")
        if "pid" in answer and identity in self._pids:
            future = self._pids.pop(identity)
            if not future.done():
                future.set_result(answer["pid"])
        elif "code" in answer and identity in self._exits:
            self._exits.pop(identity)(answer["code"])


class WarmParents:
    """All warm parents of this server."""

    def __init__(self) -> None:
        self._parents: dict[Path, WarmParent] = {}
        self._starting: dict[Path, asyncio.Lock] = {}

    async def of(self, python: Path) -> WarmParent:
        """Return the warm parent of that environment, started if there is none."""
        lock = self._starting.setdefault(python, asyncio.Lock())
        async with lock:
            parent = self._parents.get(python)
            if parent is None or not parent.alive:
                parent = self._parents[python] = await WarmParent.start(python)
            return parent

    def close(self) -> None:
        """Let go of all."""
        for parent in self._parents.values():
            parent.close()


def process_exists(pid: int, start: int, boot: str) -> bool:
    """Tell whether that very process, and not another one of its number, is alive."""
    try:
        if Path("/proc/sys/kernel/random/boot_id").read_text().strip() != boot:
            return False
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return False
    return int(fields[19]) == start and fields[0] != "Z"


def session_members(session: int) -> list[int]:
    """Return the pids of all processes of a session."""
    members = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                members.append(int(entry))
    return members
