"""Parts of pages that are drawn from the code: `python tools/NAME.py` writes them, `--check` compares them."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def filled(text: str, parts: Mapping[str, str]) -> str:
    """Return the page with each part between its two marks.

    :param parts: name → Markdown; the page has ``<!-- generated NAME -->`` and ``<!-- end NAME -->`` on lines of their
        own for each
    :raises SystemExit: if a mark is missing
    """
    for name, body in parts.items():
        marks = (f"<!-- generated {name} -->", f"<!-- end {name} -->")
        pattern = re.compile(f"{re.escape(marks[0])}\n.*?{re.escape(marks[1])}", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"the page has no {marks[0]} … {marks[1]}")
        whole = f"{marks[0]}\n\n{body.strip()}\n\n{marks[1]}"
        text = pattern.sub(lambda _, whole=whole: whole, text)  # type: ignore[misc]
    return text


def main(page: str, parts: Mapping[str, str]) -> int:
    """Write the page's generated parts; with ``--check`` only say what would change. Return the exit code.

    :param page: path below ``docs/``
    """
    path = DOCS / page
    before = path.read_text()
    after = filled(before, parts)
    if "--check" in sys.argv[1:]:
        changes = difflib.unified_diff(before.splitlines(), after.splitlines(), f"docs/{page}", "the code", lineterm="")
        found = "\n".join(changes)
        if found:
            sys.stderr.write(f"{found}\ndocs/{page} is out of date: run python {Path(sys.argv[0]).name}\n")
        return 1 if found else 0
    path.write_text(after)
    return 0


def plain(text: str) -> str:
    """Return reStructuredText of a docstring as Markdown on one line: roles and double backticks as code."""
    text = re.sub(r":(?:class|func|meth|data|mod|attr|exc):`~?([^`]+)`", r"`\1`", text)
    return " ".join(text.replace("``", "`").split())


def row(*cells: str) -> str:
    """Return one line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    return "\n".join([row(*heading), "|" + " --- |" * len(heading), *(row(*cells) for cells in rows)])
