"""What type checkers see of a program: the programs beside this file, and the errors that their comments expect.

A line that must raise errors ends in ``# mypy[CODE, …] pyright[RULE, …]``; every other line must raise none, in either
checker's strict mode. ``assert_type`` in the programs pins the types that calls return.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parent
PROGRAMS = sorted((FOLDER / "programs").glob("*.py"))
SAID = re.compile(r"^(?P<file>[^:]+\.py):(?P<line>\d+): error: .* \[(?P<code>[\w-]+)\]$", re.MULTILINE)
FOLLOWS = re.compile(r"untyped-decorator|no-any-return|reportUn(known\w+|typedFunctionDecorator)")
"""Codes that only say that an error before has left something without a type."""

Errors = dict[tuple[str, int], set[str]]


def expected(checker: str) -> Errors:
    """Return the codes that the programs' comments expect, by file and line."""
    found: Errors = {}
    for program in PROGRAMS:
        for number, line in enumerate(program.read_text().splitlines(), 1):
            for named, codes in re.findall(r"\b(mypy|pyright)\[([^\]]*)\]", line.partition("  # ")[2]):
                if named == checker:
                    found[program.name, number] = set(codes.split(", "))
    return found


def differences(wanted: Errors, said: Errors) -> list[str]:
    """Return a line for each place where the two differ; what follows from an expected error does not count."""
    lines = []
    for place in sorted({*wanted, *said}):
        codes = said.get(place, set())
        if place in wanted:
            codes = {code for code in codes if not FOLLOWS.fullmatch(code)}
        if codes != wanted.get(place, set()):
            lines.append(f"{place[0]}:{place[1]}: expected {sorted(wanted.get(place, set()))}, raised {sorted(codes)}")
    return lines


@pytest.fixture(scope="session")
def mypy_errors(tmp_path_factory: pytest.TempPathFactory) -> Errors:
    cache = tmp_path_factory.mktemp("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}"]
    done = subprocess.run([*command, *PROGRAMS], capture_output=True, text=True, check=False, timeout=300)
    found: Errors = defaultdict(set)
    for match in SAID.finditer(done.stdout):
        found[Path(match["file"]).name, int(match["line"])].add(match["code"])
    assert f"Found {len(SAID.findall(done.stdout))} errors" in done.stdout, done.stdout + done.stderr
    return found


@pytest.fixture(scope="session")
def pyright_errors() -> Errors:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    answer = json.loads(done.stdout)
    assert answer["summary"]["filesAnalyzed"] == len(PROGRAMS), done.stdout + done.stderr
    found: Errors = defaultdict(set)
    for each in answer["generalDiagnostics"]:
        found[Path(each["file"]).name, each["range"]["start"]["line"] + 1].add(each.get("rule", each["message"]))
    return found


def test_mypy_raises_the_errors_that_stand_in_the_programs_and_no_others(mypy_errors: Errors) -> None:
    assert differences(expected("mypy"), mypy_errors) == []


def test_pyright_raises_the_errors_that_stand_in_the_programs_and_no_others(pyright_errors: Errors) -> None:
    assert differences(expected("pyright"), pyright_errors) == []


def test_both_checkers_are_expected_to_see_every_mistake() -> None:
    assert expected("mypy").keys() == expected("pyright").keys()
    assert len(expected("mypy")) > 40


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"typed_{name}", FOLDER / "programs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_local_runs_return_what_the_checkers_see() -> None:
    tasks, workflows = program("tasks"), program("workflows")
    tasks.calls()
    assert asyncio.run(tasks.outer(n=1)) == 1.5
    assert workflows.area() == 9
    assert workflows.summary(values=[1, 3]) == (5.0, 2)
    assert workflows.mapped(values=[1, 2]) == ([2.0, 4.0], 0)
    assert [workflows.choice(n=n) for n in (20, 3)] == [400, 9]
    assert workflows.of_plans(n=2) == (4, 1.0)
    assert workflows.annotated(n=2) == "4"
    assert workflows.imperative(n=5) == 25
