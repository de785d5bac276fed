"""A stand-alone program: a warm, pre-imported interpreter that forks one child per task.

It is run by path with the interpreter of any environment, so it imports nothing but the standard library, and what the
environment has of the modules named on its command line. It holds no threads, no event loop and no channels: a fork of
it is safe. Requests come as JSON lines on stdin (a socket), answers go the same way.

Request: ``{"id", "claim", "exit", "argv", "env", "cwd", "log"}``. The child creates ``claim`` exclusively before it
does anything (so that two servers never run one attempt twice), with its pid, start time and boot id. This program
writes ``exit`` when the child has ended. It outlives the server that started it until its last child has ended.

Answers: ``{"warm": true}`` once; ``{"id", "pid"}``; ``{"id", "code"}`` (negative: ended by that signal).
"""

import atexit
import contextlib
import gc
import importlib
import importlib.metadata
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import threading
import traceback

SOCKET = 0
LARGEST = 1 << 20


def start_time(pid):
    """Return the process's start in clock ticks since boot: with the pid and the boot id it names one process."""
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[19])


def boot_id():
    """Return the id of this boot of the machine."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def write_whole(path, document):
    """Write a JSON file so that a reader sees all of it or none."""
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


SCRIPTS = {}
"""Console scripts of this environment by name: looked up once, before any fork."""


def claim(path):
    """Take the attempt for this process. Raises FileExistsError if somebody has it."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    document = {"pid": os.getpid(), "start": start_time(os.getpid()), "boot": boot_id()}
    os.write(descriptor, json.dumps(document).encode())
    os.fsync(descriptor)
    os.close(descriptor)


def become(request):
    """Turn this fresh child into the task: own session, own folder, own environment, own output."""
    os.setsid()
    claim(request["claim"])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    log = os.open(request["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, 256)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])


def run_script(entry, argv):
    """Run a console script in this process and return its exit code."""
    sys.argv = list(argv)
    for folder in reversed(os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if folder:
            sys.path.insert(0, folder)
    random.seed()
    try:
        answer = entry.load()()
    except SystemExit as error:
        answer = error.code
    except BaseException:
        traceback.print_exc()
        answer = 1
    if answer is None:
        return 0
    if isinstance(answer, int):
        return answer & 0xFF
    print(answer, file=sys.stderr)
    return 1


def child(request):
    """Run the request in this fresh child; never returns."""
    code = 1
    try:
        become(request)
        argv = request["argv"]
        entry = SCRIPTS.get(argv[0])
        if entry is None:
            program = shutil.which(argv[0])
            if program is None:
                print(f"{argv[0]}: not found on PATH ({os.environ.get('PATH', '')})", file=sys.stderr)
                code = 127
            else:
                os.execv(program, argv)
        else:
            sys.stdout = open(1, "w", buffering=1, closefd=False)
            sys.stderr = open(2, "w", buffering=1, closefd=False)
            code = run_script(entry, argv)
            threading._shutdown()
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
    except FileExistsError:
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


class Parent:
    """The loop: takes requests, forks, reaps, answers."""

    def __init__(self):
        self.connection = socket.socket(fileno=os.dup(SOCKET))
        self.buffer = b""
        self.running = {}
        self.serving = True
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_write, False)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def answer(self, document):
        """Send a line; a server that is gone reads the files instead."""
        with contextlib.suppress(OSError):
            self.connection.sendall(json.dumps(document).encode() + b"\n")

    def run(self):
        """Serve until the server is gone and the last child has ended."""
        self.answer({"warm": True})
        while self.serving or self.running:
            waited = [self.wake_read, *([self.connection] if self.serving else [])]
            ready, _, _ = select.select(waited, [], [])
            if self.wake_read in ready:
                os.read(self.wake_read, 4096)
            if self.connection in ready:
                self.receive()
            self.reap()

    def receive(self):
        """Take what came in; the end of the stream means that the server is gone."""
        data = self.connection.recv(LARGEST)
        if not data:
            self.serving = False
            return
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            self.fork(json.loads(line))

    def fork(self, request):
        """Start one child."""
        pid = os.fork()
        if pid == 0:
            self.connection.close()
            child(request)
        self.running[pid] = request
        self.answer({"id": request["id"], "pid": pid})

    def reap(self):
        """Take the children that have ended, with everything that they left in their process groups."""
        for pid in list(self.running):
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # the leader is still a zombie: its number cannot be another's
            os.waitpid(pid, 0)
            code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            request = self.running.pop(pid)
            with contextlib.suppress(OSError):
                write_whole(request["exit"], {"code": code})
            self.answer({"id": request["id"], "code": code})


def main():
    """Import what is there of the modules named, freeze them for the children, serve."""
    for name in sys.argv[1:]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    SCRIPTS.update({entry.name: entry for entry in importlib.metadata.entry_points(group="console_scripts")})
    gc.collect()
    gc.freeze()
    Parent().run()


if __name__ == "__main__":
    main()
