"""Reads documentation pages as somebody who types them in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the words after it, its text."""

    language: str
    words: str
    body: str

    def file(self) -> str:
        """Return the name after ``file=``, empty if there is none."""
        return self.words.removeprefix("file=") if self.words.startswith("file=") else ""


def blocks(page: Path) -> list[Block]:
    """Return a page's fenced blocks in order."""
    return [Block(language, words.strip(), body) for language, words, body in _FENCE.findall(page.read_text())]


def commands(body: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command (``$ …``) of a console block with the lines that it must print."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, *wanted = part.splitlines()
        yield command, wanted


def first_missing(wanted: list[str], printed: str) -> str | None:
    """Return the first line that is not printed after those before it; ``…`` stands for anything."""
    rest = iter(printed.splitlines())
    for line in wanted:
        pattern = ".*".join(re.escape(part.strip()) for part in line.split("…"))
        if not any(re.search(pattern, candidate) for candidate in rest):
            return line
    return None
