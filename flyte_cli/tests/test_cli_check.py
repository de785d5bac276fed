"""`flyte check`: all problems of a program at once, on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GOOD = """
from flyte_kit import ImageSpec, LaunchPlan, Secret, conditional, dynamic, map_task, reference_task, task, workflow


@task(container_image=ImageSpec(name="mine"), secret_requests=[Secret(group="g", key="k")])
def double(n: int) -> int:
    return 2 * n


@reference_task(project="p", domain="d", name="elsewhere", version="1")
def elsewhere(n: int) -> int: ...


@dynamic(container_image="{{.image.named}}")
def many(n: int) -> int:
    return double(n=n)


@workflow
def inner(n: int = 3) -> int:
    return double(n=n)


plan = LaunchPlan.create("of_inner", inner, fixed_inputs={"n": 4})


@workflow
def outer(n: int) -> list[int]:
    plan()
    many(n=elsewhere(n=inner(n=n)))
    small = conditional("small").if_(n < 3).then(double(n=n)).else_().then(inner(n=n))
    return map_task(double)(n=[1, 2, small])
"""
BAD = """
from flyte_kit import ContainerTask, ImageSpec, Secret, dynamic, kwtypes, task, workflow
from flyte_kit.core.node_creation import create_node


def never() -> str:
    raise RuntimeError("built")


@task(container_image=ImageSpec(name="mine", builder="nobody"))
def double(n: int) -> int:
    return 2 * n


@task(container_image="{{.image.missing}}")
def text() -> str:
    return "x"


@task(secret_requests=[Secret(group="", key="k")])
def secretive() -> None: ...


@workflow
def mismatched() -> int:
    return double(n=text())


@workflow
def incomplete() -> int:
    return double()


@workflow
def around() -> int:
    return incomplete()


@workflow
def cyclic() -> None:
    one, two = create_node(secretive), create_node(secretive)
    one >> two
    two >> one
"""
Flyte = Callable[..., tuple[str, str]]


@pytest.fixture
def flyte(tmp_path: Path) -> Flyte:
    """Run the command in a folder; return what it printed."""
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        command = [sys.executable, "-m", "flyte_cli", "check", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr

    return run


def _problems(printed: str) -> dict[str, dict[str, Any]]:
    found = {each["name"]: each for each in json.loads(printed)["problems"]}
    assert len(found) == len(json.loads(printed)["problems"])
    return found


def test_a_program_without_problems_is_told_as_that(flyte: Flyte) -> None:
    out, _ = flyte("good.py", "--image", "named=r/i:1")
    assert out == "3 tasks, 2 workflows, 3 launch plans: no problems\n"


def test_all_problems_are_told_at_once(flyte: Flyte) -> None:
    out, err = flyte("bad.py", "-o", "json", code=1)
    found = _problems(out)
    told = {name: problem["code"] for name, problem in found.items()}
    assert told == {
        "bad.double": "UnknownBuilder",
        "bad.text": "UnknownImage",
        "bad.secretive": "SecretWithoutGroup",
        "bad.mismatched": "MismatchingTypes",
        "bad.incomplete": "NotSerialized",
        "bad.around": "NotSerialized",
        "bad.cyclic": "CycleDetected",
    }
    assert "builder 'nobody'" in found["bad.double"]["description"]
    assert "--image missing=" in found["bad.text"]["description"]
    assert found["bad.mismatched"]["node"] == "n1"
    assert "n of type <class 'int'> was not specified" in found["bad.incomplete"]["description"]
    assert err == "flyte: 7 problems in bad.py\n"


def test_a_file_that_cannot_be_imported_does_not_hide_the_others(flyte: Flyte, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    out, _ = flyte(".", "-o", "json", code=1)
    found = _problems(out)
    [broken] = [problem for name, problem in found.items() if name.endswith("broken.py")]
    assert broken["code"] == "NotImported"
    assert "ZeroDivisionError: division by zero" in broken["description"]
    assert {"bad.mismatched", "good.many"} < set(found)


def test_problems_are_lines_for_people(flyte: Flyte) -> None:
    out, _ = flyte("good.py", code=1)
    heading, line = out.splitlines()
    assert heading.split() == ["WHERE", "PROBLEM", "DESCRIPTION"]
    assert line.split()[:2] == ["good.many", "UnknownImage"]
