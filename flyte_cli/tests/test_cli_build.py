"""`flyte build` with a builder that an installed package brings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BUILDER = """
from pathlib import Path

from flyte_kit.hookspecs import hookimpl
from flyte_kit.image_spec.image_spec import ImageSpecBuilder


class Builder(ImageSpecBuilder):
    def should_build(self, image_spec):
        return image_spec.name != "old"

    def build_image(self, image_spec):
        with open("built.txt", "a") as log:
            print(image_spec.image_name(), *image_spec.source_files(), file=log)


@hookimpl
def flyte_image_builder(name):
    return Builder()
"""
PROGRAM = """
from flyte_kit import ImageSpec, dynamic, task, workflow

base = ImageSpec(name="base", registry="r", builder="logged")
mine = ImageSpec(name="mine", base_image=base, registry="r", builder="logged", packages=["numpy"])
old = ImageSpec(name="old", registry="r", builder="logged")
nobodys = ImageSpec(name="nobodys", registry="r")


@task(container_image=mine)
def one() -> int:
    return 1


@task(container_image=old)
def two() -> int:
    return 2


@dynamic(container_image=mine)
def three() -> int:
    return one()


@task(container_image=nobodys)
def four() -> int:
    return 4


@workflow
def wf() -> int:
    two()
    return one()
"""
Flyte = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    made.mkdir()
    (made / "images.py").write_text(PROGRAM)
    return made


@pytest.fixture
def flyte(tmp_path: Path, folder: Path) -> Flyte:
    """Run the command in the folder of the program; return what it printed."""
    info = tmp_path / "installed" / "flyte_logged-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flyte-logged\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[flyte.image_builders]\nlogged = logged_builder\n")
    (info.parent / "logged_builder.py").write_text(BUILDER)

    def run(*arguments: str, code: int = 0) -> str:
        environment = {**os.environ, "PYTHONPATH": str(info.parent)}
        command = [sys.executable, "-m", "flyte_cli", *arguments]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    return run


def _images(flyte: Flyte, *arguments: str) -> dict[str, str]:
    told = json.loads(flyte("build", "images.py", *arguments, "-o", "json"))["images"]
    return {each["image"]: each["status"] for each in told}


def test_the_images_of_an_entity_are_built_once_with_the_code_in_them(flyte: Flyte, folder: Path) -> None:
    status = _images(flyte, "wf")
    assert sorted(name.partition(":")[0] for name in status) == ["r/base", "r/mine", "r/old"]
    assert sorted(status.values()) == ["built", "built", "there already"]
    built = dict(line.split(" ", 1) for line in (folder / "built.txt").read_text().replace("\n", " \n").splitlines())
    [mine] = [files for name, files in built.items() if name.startswith("r/mine")]
    assert mine.split() == ["images.py"]
    with (folder / "images.py").open("a") as program:
        program.write("\n# other code\n")
    assert [*_images(flyte, "wf")] != [*status]


def test_fast_images_hold_no_code_and_keep_their_names(flyte: Flyte, folder: Path) -> None:
    first = _images(flyte, "--fast", "one")
    assert not any(line.endswith(".py") for line in (folder / "built.txt").read_text().splitlines())
    with (folder / "images.py").open("a") as program:
        program.write("\n# other code\n")
    assert _images(flyte, "--fast", "one") == first


@pytest.mark.parametrize("fast", [True, False])
def test_a_registration_names_the_images_that_were_built(flyte: Flyte, folder: Path, fast: bool) -> None:
    built = {name for name in _images(flyte, *(["--fast"] if fast else [])) if "base" not in name}
    flyte("serialize", "images.py", "-f", "out", "--copy", "auto" if fast else "none")
    text = b"".join(path.read_bytes() for path in (folder / "out").glob("*.pb")).decode(errors="replace")
    assert set(re.findall(r"r/\w+:[\w.-]+", text)) == built


def test_an_image_without_a_builder_is_told(flyte: Flyte) -> None:
    assert [*_images(flyte, "four").values()] == ["no builder"]


def test_a_name_that_is_not_there_is_answered_with_those_that_are(flyte: Flyte) -> None:
    assert "images.py has no 'nine'; it defines one, two, three, four, wf" in flyte(
        "build", "images.py", "nine", code=2
    )
