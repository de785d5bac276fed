"""`flyte init` makes projects whose README is true, and `flyte local-cache` forgets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from flyte_cli.project_templates import template_names


def run(*arguments: str, cwd, code: int = 0, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def commands_of(readme: str) -> list[str]:
    return [line for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("template", template_names())
def test_a_new_project_runs_and_passes_its_tests(tmp_path, template) -> None:
    run("flyte_cli", "init", "my-project", "--template", template, cwd=tmp_path)
    project = tmp_path / "my-project"
    readme = (project / "README.md").read_text()
    assert readme.startswith("# my-project\n")
    [local] = [line for line in commands_of(readme) if line.startswith("flyte run workflows")]
    assert run("flyte_cli", *local.split()[1:], cwd=project).strip()
    assert "1 passed" in run("pytest", "-q", "-p", "no:cacheprovider", cwd=project)


def test_the_readme_of_the_schedule_is_true_on_a_server(up, tmp_path) -> None:
    run("flyte_cli", "init", "nights", "--template", "schedule", cwd=tmp_path)
    config = {"FLYTECTL_CONFIG": str(up.server.data / "config.yaml")}
    project = tmp_path / "nights"
    lines = [line for line in commands_of((project / "README.md").read_text()) if line.startswith("flyte ")]
    assert [line.split()[1] for line in lines] == ["run", "register", "launchplan", "backfill"]
    run("flyte_cli", "register", "workflows", cwd=project, **config)
    assert "cron 0 3 * * *" in run("flyte_cli", "launchplan", "activate", "nightly_report", cwd=project, **config)
    window = ("--from-date", "now - 7d", "--to-date", "now")
    told = run("flyte_cli", "backfill", "nightly_report", *window, "--dry-run", "-o", "json", cwd=project, **config)
    assert len(json.loads(told)["steps"]) == 7
    run("flyte_cli", "launchplan", "deactivate", "nightly_report", cwd=project, **config)


def test_nothing_is_written_over(tmp_path) -> None:
    (tmp_path / "there").mkdir()
    assert "there exists already" in run("flyte_cli", "init", "there", cwd=tmp_path, code=1)
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.parametrize("name", ["1st", "a b", "-x-", "a--b"])
def test_a_name_that_python_cannot_take_is_refused(tmp_path, name) -> None:
    assert "cannot name a project" in run("flyte_cli", "init", "--", name, cwd=tmp_path, code=1)
    assert list(tmp_path.iterdir()) == []


def test_the_files_are_told_as_json(tmp_path) -> None:
    told = json.loads(run("flyte_cli", "init", "p", "-o", "json", cwd=tmp_path))
    assert "p/workflows/example.py" in told["files"]
    assert all((tmp_path / path).is_file() for path in told["files"])


def test_the_local_cache_is_forgotten(tmp_path) -> None:
    program = tmp_path / "counts.py"
    program.write_text(
        "from flyte_kit import task, workflow\n\n"
        "@task(cache=True, cache_version='1')\n"
        "def slow(n: int) -> int:\n"
        "    with open('ran', 'a') as file:\n"
        "        file.write('x')\n"
        "    return n\n\n"
        "@workflow\n"
        "def wf(n: int = 1) -> int:\n"
        "    return slow(n=n)\n"
    )
    home = {"FLYTE_LOCAL_CACHE_DIR": str(tmp_path / "cache")}
    for _ in range(2):
        run("flyte_cli", "run", "counts.py", "wf", cwd=tmp_path, **home)
    assert (tmp_path / "ran").read_text() == "x"
    assert run("flyte_cli", "local-cache", "clear", cwd=tmp_path, **home) == "cleared\n"
    run("flyte_cli", "run", "counts.py", "wf", cwd=tmp_path, **home)
    assert (tmp_path / "ran").read_text() == "xx"
