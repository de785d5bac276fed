"""Writes the table of docs/reference/checklist.md: what of flytekit's and pyflyte's ways holds here, and by which test.

The tests are collected and not run. A test is a strict expectation either way, so that the table cannot be better or
worse than what the tests find.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from checklist_rows import ROWS
from generated import main, table

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"test_(\d{3})_")


@dataclass(frozen=True)
class Found:
    """A test of a row.

    :ivar missing: why it does not hold; None where it does
    """

    row: int
    sentence: str
    file: str
    missing: str | None


class Collector:
    """A plugin for pytest that keeps what is collected."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Found] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep each test once, however many parameters it has.

        :raises SystemExit: if one names no row, or is neither expected to pass nor, strictly, to fail
        """
        for item in items:
            assert isinstance(item, pytest.Function)
            named = NAMED.match(item.name)
            if named is None:
                raise SystemExit(f"{item.nodeid}: a test of the checklist begins with test_ and three digits")
            if item.get_closest_marker("skip") or item.get_closest_marker("skipif"):
                raise SystemExit(f"{item.nodeid}: nothing of the checklist is skipped")
            fails = item.get_closest_marker("xfail")
            if fails is not None and not (fails.kwargs.get("strict") and fails.kwargs.get("reason")):
                raise SystemExit(f"{item.nodeid}: xfail needs strict=True and a reason")
            name = item.originalname
            sentence = NAMED.sub("", name).replace("_", " ")
            reason = None if fails is None else str(fails.kwargs["reason"])
            self.found[item.path.name, name] = Found(int(named[1]), sentence, item.path.name, reason)


def collected() -> dict[int, list[Found]]:
    """Return the tests of every row.

    :raises SystemExit: if they cannot be collected, or a row has none
    """
    collector = Collector()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", str(ROOT / "tests/checklist")], [collector]
        )
    if code != pytest.ExitCode.OK:
        raise SystemExit(printed.getvalue())
    rows = defaultdict(list)
    for found in collector.found.values():
        rows[found.row].append(found)
    without = sorted({row.number for row in ROWS} ^ rows.keys())
    if without:
        raise SystemExit(f"rows without tests, or tests of rows that are not there: {without}")
    return rows


def state(tests: list[Found]) -> str:
    """Return whether a row holds: yes, in part, no."""
    missing = [found for found in tests if found.missing is not None]
    return "yes" if not missing else "no" if len(missing) == len(tests) else "in part"


def reasons(tests: list[Found]) -> str:
    """Return what does not hold, each reason once."""
    return "; ".join(dict.fromkeys(found.missing for found in tests if found.missing is not None))


def block(title: str, numbers: range, rows: dict[int, list[Found]]) -> str:
    """Return one section of the page."""
    lines = []
    for row in ROWS:
        if row.number in numbers:
            tests = rows[row.number]
            files = ", ".join(dict.fromkeys(f"`{found.file}`" for found in tests))
            lines.append((str(row.number), row.rank, row.feature, state(tests), reasons(tests), files))
    heading = ("#", "rank", "what", "holds", "what is missing", "tests")
    return f"### {title}\n\n{table(heading, lines)}"


def summary(rows: dict[int, list[Found]]) -> str:
    """Return how many rows of each rank hold."""
    ranks = (("M", "must"), ("S", "should"), ("R", "rare"))
    lines = []
    for rank, word in ranks:
        states = [state(rows[row.number]) for row in ROWS if row.rank == rank]
        counts = [str(states.count(each)) for each in ("yes", "in part", "no")]
        lines.append((f"{rank} ({word})", str(len(states)), *counts))
    return table(("rank", "rows", "hold", "hold in part", "do not hold"), lines)


if __name__ == "__main__":
    rows = collected()
    parts = {
        "summary": summary(rows),
        "rows": "\n\n".join(
            [
                block("Authoring and local runs", range(1, 61), rows),
                block("Types", range(61, 83), rows),
                block("Registration, executions, the client and the command", range(83, 121), rows),
            ]
        ),
    }
    sys.exit(main("reference/checklist.md", parts))
