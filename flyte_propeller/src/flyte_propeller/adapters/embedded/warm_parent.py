"""A stand-alone program: a warm, pre-imported interpreter that forks one child per container.

It is run by path with the interpreter of any environment, so it imports nothing but the standard library, and what the
environment has of the modules named on its command line (a program named there by its path is run). It holds no
threads, no event loop and no channels: a fork of it is safe. Requests come as JSON lines on stdin (a socket), answers
go the same way.

Request: ``{"id", "claim", "exit", "argv", "env", "cwd", "folders", "log", "log_limit", "memory"}`` (folders to be made
if they are not there; limits in bytes; memory null for none). The file ``claim`` is created exclusively before the
fork, so that two servers never run one attempt twice; it stays locked until the child has written its pid, start time
and boot id there, before it does anything else. The file ``exit`` is written when the child has ended. This program
outlives the server that started it until its last child has ended. ``{"end": true}`` kills all children, and ends the
program with the last of them.

Answers: ``{"id", "pid"}``, ``{"id", "taken": true}`` (somebody has the claim), ``{"id", "refused": why}``, and later
``{"id", "code", "reason"}`` (code negative: ended by that signal).

A child is the reaper of its descendants, whatever sessions they open; once it has ended they fall to this program,
which kills them.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import importlib.metadata
import json
import os
import random
import runpy
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn

SOCKET = 0
LARGEST = 1 << 20
CHECK_SECONDS = 0.5
"""Between two looks at the sizes of logs and at memory."""
ORPHAN_SECONDS = 2.0
"""How long the end of a killed process is waited for."""
LOG_TAIL = 1 << 16
"""Bytes of the latest output that are kept when a log is cut."""
PR_SET_CHILD_SUBREAPER = 36
OUT_OF_MEMORY = "OOMKilled"

Request = dict[str, Any]

SCRIPTS: dict[str, importlib.metadata.EntryPoint] = {}
"""Console scripts of this environment by name: looked up once, before any fork."""


PRIMERS: list[dict[str, Any]] = []
"""What programs named on the command line have defined: kept, for their functions go on being used."""


def start_time(pid: int) -> int:
    """Return the process's start in clock ticks since boot: with the pid and the boot id it names one process."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rsplit(b")", 1)[1].split()[19])


def boot_id() -> str:
    """Return the id of this boot of the machine."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process; none when it is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found.extend(map(int, file.read().split()))
    return found


def memory_of(pid: int) -> int:
    """Return the bytes that a process and its descendants take; what is shared counts in shares."""
    total = 0
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        waiting.extend(children_of(current))
        with contextlib.suppress(OSError), open(f"/proc/{current}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) * 1024
    return total


def cut_log(path: str, limit: int, left_out: int) -> int:
    """Cut a log that is over its limit: its beginning, a mark, its latest output stay.

    :param left_out: bytes left out before
    :returns: bytes left out by now
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        head = limit // 2
        if size <= limit:
            return left_out
        tail_size = min(LOG_TAIL, limit // 4)
        tail = os.pread(descriptor, tail_size, size - tail_size)
        left_out += size - head - len(tail)
        # Whoever writes does so at the end, wherever that is.
        os.ftruncate(descriptor, head)
        mark = f"\n[about {left_out} bytes of output are left out here: the log of a container is limited to {limit}]\n"
        os.write(descriptor, mark.encode() + tail)
        return left_out
    finally:
        os.close(descriptor)


def take(path: str) -> int:
    """Take the attempt for this process: return the file, locked. Raises FileExistsError if somebody has it."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


class Subreaper:
    """Makes the calling process the reaper of its orphaned descendants, where the C library lets it."""

    def __init__(self) -> None:
        self._prctl: Any = None
        with contextlib.suppress(OSError, AttributeError):
            self._prctl = ctypes.CDLL(None, use_errno=True).prctl

    def take_part(self) -> None:
        """Do it."""
        if self._prctl is not None:
            self._prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


# What this parent changed, and what whoever started it may have made it ignore: a shell that starts
# a program in the background ignores SIGQUIT for it, nohup ignores SIGHUP.
FRESH_SIGNALS = (signal.SIGTERM, signal.SIGCHLD, signal.SIGQUIT, signal.SIGHUP)


def become(request: Request, descriptor: int, identity: dict[str, Any], reaper: Subreaper) -> None:
    """Turn this fresh child into the container: own session, own folder, own environment, own output."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in FRESH_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    reaper.take_part()
    pid = os.getpid()  # once it is written down it may be signalled
    os.write(descriptor, json.dumps({"pid": pid, "start": start_time(pid), **identity}).encode())
    mask = os.umask(0o077)
    for folder in request["folders"]:
        os.makedirs(folder, exist_ok=True)
    os.umask(mask)
    log = os.open(request["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the folder that was just read
                os.close(int(name))
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])


def run_script(entry: importlib.metadata.EntryPoint, argv: list[str]) -> int:
    """Run a console script in this process and return its exit code."""
    sys.stdout = open(1, "w", buffering=1, closefd=False)
    sys.stderr = open(2, "w", buffering=1, closefd=False)
    sys.argv = list(argv)
    for folder in reversed(os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if folder:
            sys.path.insert(0, folder)
    random.seed()
    time.tzset()
    take_up_environment()
    try:
        answer = entry.load()()
    except SystemExit as error:
        answer = error.code
    except BaseException:
        traceback.print_exc()
        answer = 1
    if answer is None:
        code = 0
    elif isinstance(answer, int):
        code = answer & 0xFF
    else:
        print(answer, file=sys.stderr)
        code = 1
    end_interpreter()
    return code


def take_up_environment() -> None:
    """Have what read the environment before the fork read it again."""
    tempfile.tempdir = None
    for primer in PRIMERS:
        primer["after_fork"]()


def end_interpreter() -> None:
    """Do what the end of an interpreter does and a bare exit does not."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()


def execute(argv: list[str]) -> int:
    """Become another program; return 127 when there is none of that name."""
    program = shutil.which(argv[0])
    if program is None:
        message = f"{argv[0]}: not found on PATH ({os.environ.get('PATH', '')})\n"
        os.write(2, message.encode(errors="surrogateescape"))
        return 127
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execv(program, argv)


def child(request: Request, descriptor: int, identity: dict[str, Any], reaper: Subreaper) -> NoReturn:
    """Run the request in this fresh child; never returns."""
    code = 1
    try:
        become(request, descriptor, identity, reaper)
        argv = request["argv"]
        entry = SCRIPTS.get(argv[0])
        code = execute(argv) if entry is None else run_script(entry, argv)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


class Parent:
    """The loop: takes requests, forks, reaps, answers, keeps limits."""

    def __init__(self) -> None:
        self.connection = socket.socket(fileno=os.dup(SOCKET))
        self.buffer = b""
        self.running: dict[int, Request] = {}
        self.serving = True
        self.checked = time.monotonic()
        pid = os.getpid()
        self.identity = {"boot": boot_id(), "parent": pid, "parent_start": start_time(pid)}
        self.reaper = Subreaper()
        self.reaper.take_part()
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_write, False)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)

    def answer(self, document: dict[str, Any]) -> None:
        """Send a line; a server that is gone reads the files instead."""
        with contextlib.suppress(OSError):
            self.connection.sendall(json.dumps(document).encode() + b"\n")

    def run(self) -> None:
        """Serve until the server is gone and the last child has ended."""
        while self.serving or self.running:
            waited: list[Any] = [self.wake_read, *([self.connection] if self.serving else [])]
            ready, _, _ = select.select(waited, [], [], CHECK_SECONDS if self.running else None)
            if self.wake_read in ready:
                os.read(self.wake_read, 4096)
            if self.connection in ready:
                self.receive()
            self.reap()
            if self.running and time.monotonic() - self.checked >= CHECK_SECONDS:
                self.keep_limits()
                self.checked = time.monotonic()

    def receive(self) -> None:
        """Take what came in; the end of the stream means that the server is gone."""
        try:
            data = self.connection.recv(LARGEST)
        except OSError:
            data = b""
        if not data:
            self.serving = False
            return
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            request = json.loads(line)
            if request.get("end"):
                self.serving = False
                for pid in self.running:
                    self.kill_group(pid)
                return
            self.fork(request)

    def fork(self, request: Request) -> None:
        """Start one child, unless somebody else has the attempt."""
        try:
            descriptor = take(request["claim"])
        except FileExistsError:
            self.answer({"id": request["id"], "taken": True})
            return
        except OSError as error:
            self.answer({"id": request["id"], "refused": str(error)})
            return
        try:
            pid = os.fork()
        except OSError as error:
            os.unlink(request["claim"])
            os.close(descriptor)
            self.answer({"id": request["id"], "refused": str(error)})
            return
        if pid == 0:
            child(request, descriptor, self.identity, self.reaper)
        os.close(descriptor)
        self.running[pid] = request
        self.answer({"id": request["id"], "pid": pid})

    def reap(self) -> None:
        """Take the children that have ended, and end what they left behind, before anybody is told."""
        ended: list[tuple[Request, int]] = []
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                break
            if found is None:
                break
            request = self.running.pop(found.si_pid, None)
            if request is not None:
                self.kill_group(found.si_pid)  # still a zombie: its number cannot be another's
                ended.append((request, found.si_status if found.si_code == os.CLD_EXITED else -found.si_status))
            os.waitpid(found.si_pid, 0)
        self.end_orphans()
        for request, code in ended:
            self.report(request, code)

    def end_orphans(self) -> None:
        """Kill the descendants of children that have ended: they are this program's own children now."""
        deadline = time.monotonic() + ORPHAN_SECONDS
        while orphans := [pid for pid in children_of(os.getpid()) if pid not in self.running]:
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            if time.monotonic() > deadline:
                return  # stuck in the kernel: it ends when it leaves it
            time.sleep(0.001)

    def report(self, request: Request, code: int) -> None:
        """Write down how a child ended, and tell."""
        with contextlib.suppress(OSError):
            self.keep_log(request)
        ending = {"code": code, "reason": request.get("reason", "")}
        with contextlib.suppress(OSError):
            descriptor = os.open(request["exit"], os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            os.write(descriptor, json.dumps(ending).encode())
            os.close(descriptor)
        self.answer({"id": request["id"], **ending})

    def keep_limits(self) -> None:
        """Cut logs that are too long; end containers that take too much memory."""
        for pid, request in self.running.items():
            with contextlib.suppress(OSError):
                self.keep_log(request)
            limit = request.get("memory")
            if limit and "reason" not in request and memory_of(pid) > limit:
                request["reason"] = OUT_OF_MEMORY
                self.kill_group(pid)

    def keep_log(self, request: Request) -> None:
        """Cut one log."""
        limit = request["log_limit"]
        if os.stat(request["log"]).st_size > limit:
            request["left_out"] = cut_log(request["log"], limit, request.get("left_out", 0))

    def kill_group(self, pid: int) -> None:
        """Kill the process group of a child that has not been waited for."""
        for kill in (os.killpg, os.kill):  # before its setsid it has no group of its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def temporary_folder() -> Iterator[None]:
    """Keep TMPDIR for as long as this program lives: what modules put there at their import is not left behind.

    It stays locked meanwhile, so that servers can tell it from one that nobody will remove.
    """
    folder = os.environ["TMPDIR"]
    os.makedirs(folder, 0o700, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def main() -> None:
    """Import what is there of the modules named, freeze them for the children, serve."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    with temporary_folder():
        for name in sys.argv[1:]:
            with contextlib.suppress(Exception):
                if name.endswith(".py"):
                    PRIMERS.append(runpy.run_path(name))
                else:
                    importlib.import_module(name)
        SCRIPTS.update({entry.name: entry for entry in importlib.metadata.entry_points(group="console_scripts")})
        gc.collect()
        gc.freeze()
        Parent().run()


if __name__ == "__main__":
    main()
