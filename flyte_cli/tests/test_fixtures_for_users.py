"""The pytest fixtures that users get with the installation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
from flyte_kit import FlyteFile, current_context, task, workflow

@task(cache=True, cache_version="1")
def count(path: str) -> int:
    with open(path, "a") as file:
        file.write("x")
    return len(open(path).read())

@task
def secret() -> str:
    return current_context().secrets.get("group", "key")

@task
def write(text: str) -> FlyteFile:
    path = current_context().working_directory + "/text.txt"
    with open(path, "w") as file:
        file.write(text)
    return FlyteFile(path)

@workflow
def wf(text: str) -> FlyteFile:
    return write(text=text)
"""
TESTS = """
import os
from program_of_user import count, secret, wf

def test_cached_once(flyte_sandbox):
    assert count(path="calls") == count(path="calls") == 1

def test_each_test_has_a_cache_of_its_own(flyte_sandbox):
    assert count(path="calls") == 2

def test_files_are_below_the_tests_folder(flyte_sandbox, tmp_path):
    assert str(wf(text="x").path).startswith(str(tmp_path))

def test_a_secret(flyte_secret):
    flyte_secret("group", "key", "hidden")
    assert secret() == "hidden"

def test_a_whole_flyte(flyte_remote):
    execution = flyte_remote.execute(wf, inputs={"text": "content"}, wait=True)
    assert execution.is_successful, execution.error
"""


def test_users_tests_get_sandboxes_secrets_and_a_whole_flyte(tmp_path: Path) -> None:
    (tmp_path / "program_of_user.py").write_text(PROGRAM)
    (tmp_path / "test_of_user.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_of_user.py"]
    environment = {**os.environ, "PYTHONPATH": ":".join([str(tmp_path), *sys.path])}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert "5 passed" in done.stdout, done.stdout + done.stderr
