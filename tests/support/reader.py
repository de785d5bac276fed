"""Somebody who types a documentation page in, block by block.

Blocks are told apart by the words after the fence: ``python file=NAME`` is written to that file, ``python run`` is run,
``console`` holds commands (``$ …``), each with lines that it must print in this order, where ``…`` stands for anything;
``console fails`` holds commands that must end with another exit code than 0. Blocks in ``sh`` are left out: they make
environments, which the tests have.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from typed_in import blocks, commands, first_missing

SECONDS = 120


@dataclass
class Reader:
    """The reader.

    :ivar folder: where they are; made if it is not there
    :ivar config: what ``FLYTECTL_CONFIG`` says
    :ivar python: runs ``python run`` blocks
    :ivar paths: folders of commands, before those of this environment
    :ivar left_out: beginnings of commands that are not run: the test has done what they do
    """

    folder: Path
    config: Path
    python: str = sys.executable
    paths: list[str] = field(default_factory=list)
    left_out: tuple[str, ...] = ("flyte up", "export ")

    def read(self, page: Path) -> int:
        """Do what a page says, and return how many blocks it had."""
        self.folder.mkdir(exist_ok=True)
        found = blocks(page)
        for block in found:
            self.do(block.language, block.words, block.body)
        return len(found)

    def do(self, language: str, words: str, body: str) -> None:
        """Do what one block says."""
        match language, words.split("="):
            case "python", ["file", name]:
                (self.folder / name).write_text(body)
            case "python", ["run"]:
                done = self._run([self.python, "-c", body])
                assert done.returncode == 0, done.stdout + done.stderr
            case "console", [fails]:
                for command, wanted in commands(body):
                    self._type(command, wanted, fails=fails == "fails")
            case "sh", _:
                pass
            case _:
                raise AssertionError(f"a block that nobody runs: {language} {words}")

    def _type(self, command: str, wanted: list[str], *, fails: bool) -> None:
        if command.startswith(self.left_out):
            return
        done = self._run(["/bin/sh", "-c", command])
        printed = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, f"{command}: exit {done.returncode}\n{printed}"
        missing = first_missing(wanted, printed)
        assert missing is None, f"{command}: nothing like {missing!r} in its place in\n{printed}"

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([*self.paths, str(Path(sys.executable).parent), "/usr/bin", "/bin"])
        environment = {"PATH": path, "HOME": str(self.folder), "FLYTECTL_CONFIG": str(self.config), "COLUMNS": "200"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
