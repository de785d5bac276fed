"""`flyte run`: here and remotely, with inputs of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest


def test_088_a_workflow_runs_here_and_its_result_is_printed(up: Any) -> None:
    assert up.flyte("run", "rows_of_workflows.py", "chain", "--x", "3").strip() == "12"
    assert "ValueError" in up.flyte("run", "rows_of_workflows.py", "fail", "--x", "3", code=1)


def test_089_a_workflow_runs_remotely_and_its_page_is_named(up: Any) -> None:
    printed = up.flyte("run", "--remote", "rows_of_workflows.py", "chain", "--x", "3")
    assert f"{up.server.http}/console/projects/flytesnacks/domains/development/executions/" in printed


@pytest.mark.parametrize(("entity", "result"), [("chain", 12), ("double", 6)])
def test_089_a_workflow_or_task_runs_remotely_and_is_waited_for(up: Any, entity: str, result: int) -> None:
    waited = json.loads(up.flyte("run", "--remote", "--wait", "-o", "json", "rows_of_workflows.py", entity, "--x", "3"))
    assert f'"o0": {result}' in json.dumps(waited)


def test_089_a_failure_that_is_waited_for_is_the_exit_code(up: Any) -> None:
    assert "no 3" in up.flyte("run", "--remote", "--wait", "rows_of_workflows.py", "fail", "--x", "3", code=1)


INPUTS: dict[str, tuple[tuple[str, ...], str]] = {
    "int": (("--n", "-3"), "-3"),
    "float": (("--f", "2.5"), "2.5"),
    "text": (("--text", "a b"), "a b"),
    "flag": (("--flag",), "flag=True"),
    "no-flag": (("--no-other",), "other=False"),
    "datetime": (("--at", "2024-02-29T12:30:00"), "2024-02-29T12:30:00"),
    "date": (("--day", "2024-02-29"), "2024-02-29"),
    "timedelta": (("--span", "1h30m"), "1:30:00"),
    "list": (("--xs", "[1, 2]"), "[1, 2]"),
    "map": (("--m", '{"a": 1.5}'), "{'a': 1.5}"),
    "untyped": (("--d", '{"a": [1, null]}'), "{'a': [1, None]}"),
    "dataclass": (("--size", '{"width": 3}'), "Size(width=3"),
    "model": (("--model", '{"rate": 0.5}'), "rate=0.5"),
    "enum": (("--colour", "red"), "Colour.RED"),
    "choice": (("--choice", "b"), "'b'"),
    "union": (("--u", "7"), "7"),
    "optional": (("--o", "7"), "7"),
}


def test_090_inputs_of_every_type_are_options_of_the_command(up: Any) -> None:
    given = up.flyte(
        "run", "rows_of_inputs.py", "every_kind", *(word for words, _ in INPUTS.values() for word in words)
    )
    assert {kind: shown for kind, (_, shown) in INPUTS.items() if shown not in given} == {}, given


def test_090_files_folders_and_tables_are_paths(up: Any, tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "one.txt").write_text("1")
    (tmp_path / "file.txt").write_text("content")
    pd.DataFrame({"a": [1, 3]}).to_parquet(tmp_path / "table.parquet")
    words = ("--file", str(tmp_path / "file.txt"), "--folder", str(tmp_path / "many"))
    words += ("--table", str(tmp_path / "table.parquet"))
    assert "content ['one.txt'] 4" in up.flyte("run", "rows_of_inputs.py", "of_paths", *words)
    remotely = up.flyte("run", "--remote", "--wait", "-o", "json", "rows_of_inputs.py", "of_paths", *words)
    assert "content ['one.txt'] 4" in remotely


def test_090_inputs_may_come_from_a_file_or_from_standard_input(up: Any, tmp_path: Path) -> None:
    (tmp_path / "inputs.yaml").write_text("n: 4\nxs: [5, 6]\n")
    given = up.flyte("run", "--inputs-file", str(tmp_path / "inputs.yaml"), "rows_of_inputs.py", "every_kind")
    assert "n=4" in given
    assert "xs=[5, 6]" in given
    assert "o=None" in given
    piped = up.flyte("run", "--inputs-file", "-", "rows_of_inputs.py", "every_kind", given='{"n": 8}')
    assert "n=8" in piped


def test_090_an_input_that_does_not_fit_is_named(up: Any) -> None:
    assert "--n" in up.flyte("run", "rows_of_inputs.py", "every_kind", "--n", "three", code=2)
