"""The user's command as a process below this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""What a shell answers for such a program."""
TERMINATED = 128 + signal.SIGTERM


class Command:
    """Runs one command. A request to end (SIGTERM) goes on to it; without a command under way it ends this process.

    :ivar told_to_end: whether such a request has come
    """

    def __init__(self) -> None:
        self.told_to_end = False
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run it to its end, with the output of this process; return its exit code, negative: ended by that signal."""
        signal.signal(signal.SIGTERM, self._end)
        try:
            # A group of its own: what is sent to this process and its group reaches the command once.
            self._process = subprocess.Popen(list(argv), env=dict(environment), process_group=0)
        except FileNotFoundError:
            where = environment.get("PATH", "")
            sys.stderr.write(f"{argv[0]}: not found on PATH ({where})\n")
            return NOT_FOUND
        except OSError as error:
            sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
            return NOT_EXECUTABLE
        if self.told_to_end:
            self._process.terminate()  # told while it was being started
        return self._process.wait()

    def _end(self, number: int, _: FrameType | None) -> None:
        self.told_to_end = True
        if self._process is None:
            return
        if self._process.returncode is not None:
            raise SystemExit(TERMINATED)
        self._process.send_signal(number)


def end_like(code: int) -> int:
    """Return the exit code, or end by the signal that it stands for: who started this process sees the same."""
    if code >= 0:
        return code
    sys.stdout.flush()
    sys.stderr.flush()
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    signal.pause()
    raise AssertionError("a signal that ends a process has not ended this one")
