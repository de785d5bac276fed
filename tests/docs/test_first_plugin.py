"""The tutorial about plugins: its package is laid out as an installed one, its tests pass, and it is found."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from typed_in import blocks, commands, first_missing

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-plugin.md"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page's files, and the metadata that an installer would make of its pyproject.toml."""
    folder = tmp_path_factory.mktemp("plugin")
    for block in blocks(PAGE):
        if name := block.file():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(block.body)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    headers = [f"Name: {project['name']}", f"Version: {project['version']}"]
    headers += [f"Requires-Python: {project['requires-python']}"]
    headers += [f"Requires-Dist: {requirement}" for requirement in project["dependencies"]]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *headers, ""]))
    groups = project["entry-points"].items()
    lines = [line for group, points in groups for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))]
    (info / "entry_points.txt").write_text("\n".join([*lines, ""]))
    return folder


def run(package: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(package), "COLUMNS": "240"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=package,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_its_conformance_tests_pass(package: Path) -> None:
    done = run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_conformance.py")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_its_commands_print_what_the_page_says(package: Path) -> None:
    typed = [each for block in blocks(PAGE) if block.language == "console" for each in commands(block.body)]
    assert typed
    for command, wanted in typed:
        done = run(package, "-m", "flyte_cli", *command.split()[1:])
        assert done.returncode == 0, done.stderr
        assert first_missing(wanted, done.stdout) is None, f"{command}:\n{done.stdout}"


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert first_missing(["a …c", "d"], "a b c\nx\nd\n") is None
    assert first_missing(["d", "a"], "a\nd\n") == "a"
