"""The rules of the house, measured over the whole tree."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from flyte_core import hookspecs

ROOT = Path(__file__).parents[2]
SOURCES = sorted(p for pattern in ("*/src/**/*.py", "plugin_packages/*/src/**/*.py") for p in ROOT.glob(pattern))
DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "handlers", "misc", "base"}
OF_FLYTEKIT = {"flyte_kit/src/flyte_kit/models/common.py"}
"""Module names that users of flytekit import: the name is theirs."""
LONGEST_FILE = 500
LONG_FUNCTION = 40


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def test_no_module_is_a_drawer() -> None:
    drawers = {str(path.relative_to(ROOT)) for path in SOURCES if path.stem in DRAWERS}
    assert drawers - OF_FLYTEKIT == set()


def test_no_file_is_long() -> None:
    assert [str(p.relative_to(ROOT)) for p in SOURCES if p.read_text().count("\n") > LONGEST_FILE] == []


def test_nineteen_of_twenty_functions_are_short() -> None:
    lengths = {name: node.end_lineno - node.lineno + 1 for name, node in functions() if node.end_lineno}
    long = [name for name, lines in lengths.items() if lines > LONG_FUNCTION]
    assert len(long) <= 0.05 * len(lengths), long


def test_no_exception_is_swallowed() -> None:
    swallowed = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and all(isinstance(s, ast.Pass | ast.Continue) for s in node.body):
                wide = node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
                if wide:
                    swallowed.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert swallowed == []


def test_every_hook_is_documented_and_takes_one_context() -> None:
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("flyte_")}
    assert hooks
    for name, hook in hooks.items():
        documentation = inspect.getdoc(hook) or ""
        assert "Called once" in documentation, f"{name} does not say when it is called"
        assert list(inspect.signature(hook).parameters) == ["ctx"], name


def test_every_dataclass_of_the_machine_is_frozen() -> None:
    loose = []
    for path in (ROOT / "flyte_propeller/src/flyte_propeller/machine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                loose += [
                    f"{path.name}:{node.lineno} {node.name}"
                    for decorator in node.decorator_list
                    if "dataclass" in ast.unparse(decorator) and "frozen=True" not in ast.unparse(decorator)
                ]
    assert loose == []
