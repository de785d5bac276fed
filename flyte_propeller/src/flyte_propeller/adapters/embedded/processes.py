"""Processes by pid, start time and boot: looks at them, waits for them, signals them, and never another one.

A pid is given anew once its process is gone and no group or session of that number is left. So a process is signalled
only after pid, start time and boot id have been compared with what was written down when it started.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Claim(NamedTuple):
    """One process.

    :ivar start: in clock ticks since boot
    :ivar boot: id of the boot
    """

    pid: int
    start: int
    boot: str


class _Stat(NamedTuple):
    state: str
    parent: int
    session: int
    start: int


@cache
def boot_id() -> str:
    """Return the id of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def exists(claim: Claim) -> bool:
    """Tell whether that very process, and not another one of its number, is alive."""
    if claim.boot != boot_id():
        return False
    stat = _stat(claim.pid)
    return stat is not None and stat.start == claim.start and stat.state not in "ZX"


async def ended(claim: Claim) -> None:
    """Wait for the end of a process that need not be a child."""
    try:
        descriptor = os.pidfd_open(claim.pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    try:
        if not exists(claim):
            return
        loop.add_reader(descriptor, _set, over)
        await over
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _set(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


def descendants(claim: Claim) -> set[Claim]:
    """Return all processes below one that is alive; it reaps its orphans, so they are below it too."""
    found: set[Claim] = set()
    waiting = [claim.pid] if exists(claim) else []
    while waiting:
        for pid in _children(waiting.pop()):
            stat = _stat(pid)
            below = None if stat is None else Claim(pid, stat.start, claim.boot)
            if below is not None and below not in found:
                found.add(below)
                waiting.append(pid)
    return found


def terminate(claim: Claim) -> None:
    """Send SIGTERM to the process group of a session leader."""
    _signal_group(claim, signal.SIGTERM)


def kill(claim: Claim, known: Iterable[Claim] = ()) -> None:
    """Kill a session leader with its group and all below it.

    :param known: descendants seen earlier, in case it is gone and nobody took care of them
    """
    below = descendants(claim) | set(known)
    _signal_group(claim, signal.SIGKILL)
    for process in below:
        _kill_one(process)


def left_in_session(claim: Claim, folder: Path) -> set[Claim]:
    """Return what is left of the session of a leader that is gone, as far as it works in that folder.

    The number of a session is not given to a new process while members of it live; the folder is the proof that these
    are not the members of yet another session, whose leader has gone as well.
    """
    leader = _stat(claim.pid)
    if claim.boot != boot_id() or (leader is not None and leader.start != claim.start):
        return set()
    found = set()
    for entry in os.listdir("/proc"):
        stat = _stat(int(entry)) if entry.isdigit() else None
        if stat is not None and stat.session == claim.pid and stat.state not in "ZX" and _works_in(int(entry), folder):
            found.add(Claim(int(entry), stat.start, claim.boot))
    return found


def _signal_group(claim: Claim, number: int) -> None:
    if exists(claim):
        try:
            os.killpg(claim.pid, number)
        except ProcessLookupError:
            _send(claim.pid, number)  # it has not opened its session yet


def _kill_one(process: Claim) -> None:
    if exists(process):
        _send(process.pid, signal.SIGKILL)


def _send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _stat(pid: int) -> _Stat | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rsplit(b")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return _Stat(fields[0].decode(), int(fields[1]), int(fields[3]), int(fields[19]))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found.extend(map(int, file.read().split()))
    except OSError:
        return found
    return found


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(folder)
    except OSError:
        return False
