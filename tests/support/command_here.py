"""The `flyte` command within the tests' own process: a call costs what it does, not the start of an interpreter.

For commands that import no program of the user's and leave nothing behind in the process. What they print, their exit
codes and their errors' one line are the same, since it is the command's own ``main`` that is called.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from unittest.mock import patch

from click.testing import CliRunner

from flyte_cli.main import main

ASKING = {
    "completion",
    "create",
    "delete",
    "describe",
    "execution",
    "fetch",
    "get",
    "info",
    "launchplan",
    "logs",
    "metrics",
    "recover",
    "relaunch",
    "signal",
    "terminate",
    "top",
    "update",
    "wait",
}
"""Commands that ask the control plane or nobody, and do nothing else."""


def run_here(
    arguments: tuple[str, ...], environment: Mapping[str, str | None], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run the command and return what a process would.

    :param environment: differences from this process's; None takes a variable away
    :raises TimeoutError: if it takes longer; only the main thread can tell
    """
    code = 0
    with CliRunner().isolation(env=environment) as (out, err, _), patch("sys.argv", ["flyte", *arguments]):
        try:
            with _at_most(seconds):
                main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        printed, told = out.getvalue().decode(), err.getvalue().decode()
    return subprocess.CompletedProcess(arguments, code, printed, told)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"it takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
