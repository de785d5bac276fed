"""Runs the tutorial as it is printed, block by block, with stock flytekit.

Blocks are told apart by the words after the fence: ``python file=NAME`` is written to that file, ``python run`` is run,
``console`` holds commands (``$ …``), each with lines that it must print in this order, where ``…`` stands for anything.
Only the two lines that make the environment (``sh``) are left out: the fixture has one.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flyte_up import Server, Stock, own_server
from typed_in import blocks, commands, first_missing

pytestmark = pytest.mark.interop
PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-workflow.md"
SECONDS = 120


@dataclass
class Reader:
    """Somebody who types the tutorial in."""

    stock: Stock
    folder: Path

    def do(self, language: str, words: str, body: str) -> None:
        match language, words.split("="):
            case "python", ["file", name]:
                (self.folder / name).write_text(body)
            case "python", ["run"]:
                self._succeed([self.stock.python, "-c", body])
            case "console", [fails]:
                for command, wanted in commands(body):
                    self._type(command, wanted, fails=fails == "fails")
            case "sh", _:
                pass
            case _:
                raise AssertionError(f"a block that nobody runs: {language} {words}")

    def _type(self, command: str, wanted: list[str], *, fails: bool) -> None:
        if command.startswith("flyte up"):
            return  # it runs already, from the same options and others that keep it apart
        done = self._run(["/bin/sh", "-c", command])
        printed = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, f"{command}: exit {done.returncode}\n{printed}"
        missing = first_missing(wanted, printed)
        assert missing is None, f"{command}: nothing like {missing!r} in its place in\n{printed}"

    def _succeed(self, command: list[str]) -> None:
        done = self._run(command)
        assert done.returncode == 0, done.stdout + done.stderr

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        environment = self.stock.environment()
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        environment.pop("PYTHONPATH")
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )


@pytest.fixture
def server(stock_python: str, tmp_path: Path) -> Iterator[Server]:
    with own_server(tmp_path / "data", stock_python) as up:
        yield up


@pytest.mark.timeout(600)
def test_the_tutorial_does_what_it_says(stock_python: str, server: Server, tmp_path: Path) -> None:
    reader = Reader(Stock(stock_python, server), tmp_path / "reader")
    reader.folder.mkdir()
    found = blocks(PAGE)
    assert len(found) > 8
    for block in found:
        reader.do(block.language, block.words, block.body)
