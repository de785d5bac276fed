"""`flyte completion`: what a shell is told."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time

import pytest

from command_here import run_here


def offered(up, line: str, **variables: str) -> list[str]:
    """Return what bash would offer for the last word of a line; the line ends with a blank for a new word."""
    words = line.split(" ")
    shell = {
        "FLYTECTL_CONFIG": str(up.server.data / "config.yaml"),
        "COMP_WORDS": line.rstrip(" "),
        "COMP_CWORD": str(len(words) - 1),
        "_FLYTE_COMPLETE": "bash_complete",
    }
    done = run_here((), {**shell, **variables}, seconds=30)
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("flyte des", ["describe"]),
        ("flyte get exec", ["executions"]),
        ("flyte describe task breaks.", ["breaks.task0", "breaks.task1"]),
        ("flyte describe task breaks.task0 ", ["1"]),
        ("flyte get workflows break", ["breaks"]),
        ("flyte get launch-plans breaks ", ["1"]),
        ("flyte describe executions brok", ["broken"]),
        ("flyte logs brok", ["broken"]),
        ("flyte logs broken n", ["n0", "n1"]),
        ("flyte relaunch brok", ["broken"]),
        ("flyte terminate other brok", ["broken"]),
        ("flyte launchplan activate breaks ", ["1"]),
        ("flyte get tasks --project flyte", ["flytesnacks"]),
        ("flyte get tasks --domain prod", ["production"]),
        ("flyte get tasks --domain staging breaks", []),
        ("flyte get tasks --output j", ["json"]),
    ],
)
def test_commands_and_what_the_server_knows_are_offered(up, broken, line, wanted) -> None:
    assert offered(up, line) == wanted


def test_without_a_server_nothing_is_offered_and_nothing_said(up) -> None:
    assert offered(up, "flyte logs ", FLYTE_PLATFORM_URL="127.0.0.1:1") == []
    assert offered(up, "flyte logs ", FLYTECTL_CONFIG="/no/such/file.yaml") == []


def test_a_server_that_does_not_answer_is_not_waited_for(up) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says anything
        begin = time.monotonic()
        assert offered(up, "flyte logs ", FLYTE_PLATFORM_URL=f"127.0.0.1:{silent.getsockname()[1]}") == []
        assert time.monotonic() - begin < 5


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(up, shell) -> None:
    script = up.flyte("completion", shell)
    assert "_FLYTE_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=10)


def test_an_unknown_shell_is_refused(up) -> None:
    assert "'bash', 'zsh', 'fish'" in up.flyte("completion", "csh", code=2)
