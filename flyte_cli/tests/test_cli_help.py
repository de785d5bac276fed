"""What `flyte` costs before it does anything, and how it fails."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

HEAVY = ("grpc", "flyteidl", "rich", "google.protobuf", "yaml", "sqlalchemy", "asyncio")


def run(*arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=30, check=False, **options
    )


def test_help_imports_nothing_heavy() -> None:
    done = run("-X", "importtime", "-m", "flyte_cli", "--help")
    assert done.returncode == 0
    imported = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "click" in imported
    assert sorted(imported.intersection(HEAVY)) == []


def test_help_is_quick() -> None:
    """150 ms of CPU time on a machine of its own; here three times that, the best of three."""
    costs = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run("-m", "flyte_cli", "--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.45


def test_help_states_the_exit_codes() -> None:
    text = " ".join(run("-m", "flyte_cli", "--help").stdout.split())
    assert "Exit codes: 0" in text
    assert "1 understood, and failed" in text
    assert "2 not understood" in text


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("get", "nodes"), "EXECUTION"),
        (("nosuch",), "nosuch"),
        (("get", "nosuch"), "nosuch"),
        (("up", "--port", "99999"), "--port"),
        (("up", "--nosuch"), "--nosuch"),
        (("get", "projects", "-o", "xml"), "xml"),
    ],
    ids=" ".join,
)
def test_what_is_not_understood_is_one_line_and_exit_code_2(arguments, wanted) -> None:
    done = run("-m", "flyte_cli", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("flyte: ")
    assert wanted in line


def test_what_fails_is_one_line_and_exit_code_1(tmp_path) -> None:
    done = run("-m", "flyte_cli", "get", "projects", env={"FLYTE_PLATFORM_URL": "127.0.0.1:1"})
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "no server answers at 127.0.0.1:1" in line
