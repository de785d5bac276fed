"""Types the page about migrating in, with stock flytekit in one environment and flyte_kit in the other."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import click
import pytest

import flyte_kit
from flyte_cli.main import cli
from flyte_up import own_server
from reader import Reader

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "migrate-from-flytekit.md"


@pytest.mark.interop
@pytest.mark.timeout(600)
def test_the_snippets_do_what_the_page_says(stock_python: str, tmp_path: Path) -> None:
    with own_server(tmp_path / "data", stock_python, "--image", f"new/*={sys.executable}") as up:
        paths = [str(Path(stock_python).parent)]
        assert Reader(tmp_path / "reader", up.data / "config.yaml", stock_python, paths).read(PAGE) >= 10


def test_the_imports_in_its_tables_are_there_and_the_missing_names_are_missing() -> None:
    text = PAGE.read_text()
    imports = re.findall(r"`from (flyte_kit[\w.]*) import ([\w, ]+)`", text)
    assert len(imports) >= 4
    for module, names in imports:
        for name in names.split(", "):
            assert hasattr(importlib.import_module(module), name), f"{module}.{name}"
    missing = re.search(r"^\| `lazy_module`, `(\w+)`, `(\w+)` \|", text, re.MULTILINE)
    assert missing is not None
    assert not {"lazy_module", *missing.groups()} & {*flyte_kit.__all__}


def test_the_commands_in_its_table_are_there() -> None:
    table = PAGE.read_text().split("## Commands")[1]
    named = set(re.findall(r"`flyte ([a-z][\w-]*)", table))
    assert len(named) > 15
    known = set(cli.list_commands(click.Context(cli)))
    assert named <= known
