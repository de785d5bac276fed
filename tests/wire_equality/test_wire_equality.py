"""What flyte_kit registers and writes is, byte for byte, what stock flytekit does for the same program.

Programs and typed values are written once, for flyte_kit; the import is swapped by text for the other side, which runs
once per session in its own environment. Left out of the comparison is what flytekit itself does not do the same way
twice (the order of sets) or what is its own affair: the serialized settings that a dynamic task's container carries,
and the dummy task that flytekit registers beside every ShellTask.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType

HERE = Path(__file__).parent
PROGRAMS = sorted(path.stem for path in (HERE / "programs").glob("*.py"))
MESSAGES = {"TaskSpec": TaskSpec, "WorkflowSpec": WorkflowSpec, "LaunchPlan": LaunchPlan}
SETTINGS_VARIABLE = "_F_SS_C"
DUMMY_TASK = "_bash."

pytestmark = pytest.mark.interop


@pytest.fixture(scope="session")
def folder(stock_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both sides' texts."""
    root = tmp_path_factory.mktemp("wire")
    (root / "stock").mkdir()
    for path in (HERE / "programs").glob("*.py"):
        (root / "stock" / path.name).write_text(path.read_text().replace("flyte_kit", "flytekit"))
    (root / "stock_values.py").write_text((HERE / "typed_values.py").read_text().replace("flyte_kit", "flytekit"))
    (root / "cwd").mkdir()
    return root


def run(python: str, folder: Path, script: str, *arguments: object) -> Any:
    """Run one side and return its answer."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "FLYTE_SDK_LOGGING_LEVEL": "50"}
    done = subprocess.run(
        [python, str(HERE / script), *map(str, arguments)],
        cwd=folder / "cwd",
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "\nANSWER " in done.stdout, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout.rsplit("\nANSWER ", 1)[1])


@pytest.fixture(scope="session")
def stock_specs(stock_python: str, folder: Path) -> Any:
    return run(stock_python, folder, "serialize_programs.py", folder / "stock")


@pytest.fixture(scope="session")
def own_specs(folder: Path) -> Any:
    return run(sys.executable, folder, "serialize_programs.py", HERE / "programs")


@pytest.fixture(scope="session")
def stock_values(stock_python: str, folder: Path) -> Any:
    return run(stock_python, folder, "encode_values.py", "encode", folder / "stock_values.py", folder)


@pytest.fixture(scope="session")
def own_values(folder: Path) -> Any:
    return run(sys.executable, folder, "encode_values.py", "encode", HERE / "typed_values.py", folder)


def sort_sets(nodes: Iterable[Any]) -> None:
    """Put into order what flytekit keeps in sets."""
    for node in nodes:
        node.upstream_node_ids.sort()
        if node.HasField("array_node"):
            node.array_node.bound_inputs.sort()
            sort_sets([node.array_node.node])
        if node.HasField("branch_node"):
            block = node.branch_node.if_else
            last = [block.else_node] if block.HasField("else_node") else []
            sort_sets([block.case.then_node, *(case.then_node for case in block.other), *last])


def comparable(described: list[str]) -> Any:
    kind, _, data = described
    message = MESSAGES[kind].FromString(bytes.fromhex(data))
    if kind == "TaskSpec":
        for variable in message.template.container.env:
            if variable.key == SETTINGS_VARIABLE:
                variable.value = "SETTINGS"
    if kind == "WorkflowSpec":
        for template in [message.template, *message.sub_workflows]:
            sort_sets(template.nodes)
            if template.HasField("failure_node"):
                sort_sets([template.failure_node])
    return message


def test_there_are_enough_programs_and_values() -> None:
    text = (HERE / "typed_values.py").read_text()
    assert len(PROGRAMS) >= 60
    assert text.count('\n    "') >= 100


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_registers_the_same(program: str, stock_specs: Any, own_specs: Any) -> None:
    stock, own = stock_specs[program], own_specs[program]
    assert isinstance(stock, list), f"flytekit: {stock}"
    assert isinstance(own, list), f"flyte_kit: {own}"
    stock = [each for each in stock if DUMMY_TASK not in each[1]]
    assert [each[:2] for each in own] == [each[:2] for each in stock]
    for mine, theirs in zip(own, stock, strict=True):
        mine_message, their_message = comparable(mine), comparable(theirs)
        assert str(mine_message) == str(their_message), mine[:2]
        assert mine_message.SerializeToString(deterministic=True) == their_message.SerializeToString(deterministic=True)


def values() -> list[str]:
    """The ids of the cases, without importing what they need."""
    names, section = [], None
    for line in (HERE / "typed_values.py").read_text().splitlines():
        if line.startswith(("CASES", "TYPES_ONLY")):
            section = "type-" if line.startswith("TYPES_ONLY") else ""
        elif section is not None and line.startswith('    "'):
            names.append(section + line.split('"')[1])
    return names


@pytest.mark.parametrize("case", values())
def test_a_value_is_written_the_same(case: str, stock_values: Any, own_values: Any) -> None:
    stock, own = stock_values[case], own_values[case]
    assert "error" not in stock, stock
    assert "error" not in own, own
    for kind, message in (("type", LiteralType), ("literal", Literal)):
        if kind in stock:
            theirs, mine = message.FromString(bytes.fromhex(stock[kind])), message.FromString(bytes.fromhex(own[kind]))
            assert str(mine) == str(theirs)
            assert own[kind] == stock[kind]


def test_each_side_reads_what_the_other_wrote(
    stock_python: str, folder: Path, stock_values: Any, own_values: Any
) -> None:
    (folder / "by_stock.json").write_text(json.dumps(stock_values))
    (folder / "by_own.json").write_text(json.dumps(own_values))
    by_own = run(
        sys.executable, folder, "encode_values.py", "decode", HERE / "typed_values.py", folder, folder / "by_stock.json"
    )
    by_stock = run(
        stock_python, folder, "encode_values.py", "decode", folder / "stock_values.py", folder, folder / "by_own.json"
    )
    assert len(by_own) >= 80
    differing = {case: (by_own[case], by_stock[case]) for case in by_own if by_own[case] != by_stock[case]}
    assert differing == {}
