"""What the template renders is a plugin package that passes its own tests, in each of the three shapes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("cookiecutter", reason="the template is rendered with cookiecutter: pip install cookiecutter")

from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter

TEMPLATE = Path(__file__).parents[2] / "plugin-template"
RULES = ["--isolated", "--select", "E,F,W,I,B,UP,ANN", "--line-length", "120"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what cookiecutter remembers out of the user's home."""
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(tmp_path / "cookiecutter.yaml"))
    (tmp_path / "cookiecutter.yaml").write_text(f"replay_dir: {tmp_path / 'replay'}\n")


def render(folder: Path, **answers: str) -> Path:
    return Path(cookiecutter(str(TEMPLATE), no_input=True, output_dir=str(folder), extra_context=answers))


def install(project: Path, folder: Path) -> None:
    """Write the metadata that an installer would write, out of pyproject.toml."""
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    info = folder / f"{declared['name'].replace('-', '_')}-{declared['version']}.dist-info"
    info.mkdir(parents=True)
    requires = "".join(f"Requires-Dist: {requirement}\n" for requirement in declared["dependencies"])
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: {declared['version']}\n{requires}"
    )
    groups = declared["entry-points"].items()
    points = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in named.items()) for group, named in groups]
    (info / "entry_points.txt").write_text("\n".join(points))


@pytest.mark.parametrize("shape", ["resource", "remote-job", "inline"])
def test_a_rendered_package_passes_its_own_tests(shape: str, tmp_path: Path) -> None:
    project = render(tmp_path, name="my-task", shape=shape, description='Says "hello" to people.')
    assert project.name == "flyte-plugin-my-task"
    install(project, tmp_path / "site")
    path = os.pathsep.join([str(project / "src"), str(tmp_path / "site")])
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    run = subprocess.run(
        command, cwd=project, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *RULES, "."], cwd=project, capture_output=True, text=True, timeout=60
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("name", ["My Task", "../x", "1st", "a--b", ""])
def test_a_name_that_is_no_task_type_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FailedHookException):
        render(tmp_path / "out", name=name)
    assert not list((tmp_path / "out").glob("*")), "nothing is left half-made"
