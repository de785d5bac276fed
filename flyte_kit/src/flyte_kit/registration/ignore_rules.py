"""Which files do not go with the code: ``.gitignore``, ``.dockerignore``, ``.flyteignore``, and what never does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

STANDARD = (
    "*.pyc",
    "__pycache__",
    ".cache",
    ".cache/*",
    "*.egg-info",
    ".git",
    ".venv",
    "venv",
    ".idea",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
    "*.swp",
    ".DS_Store",
)
FILES = (".gitignore", ".dockerignore", ".flyteignore")


@dataclass(frozen=True)
class Rule:
    """One line of an ignore file.

    :ivar expression: matches paths within the folder
    :ivar keeps: whether it takes back what earlier rules left out
    :ivar folders_only: whether it is about folders
    """

    expression: re.Pattern[str]
    keeps: bool
    folders_only: bool


class IgnoreRules:
    """The rules of a folder; the last one that fits a path decides."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = rules

    @classmethod
    def of_folder(cls, root: Path, extra: tuple[str, ...] = ()) -> IgnoreRules:
        """Read the files of a folder and of the folders below."""
        rules = [parsed for line in (*STANDARD, *extra) if (parsed := parse(line)) is not None]
        for name in FILES:
            for path in sorted(root.rglob(name)) if name == ".gitignore" else [root / name]:
                if path.is_file():
                    base = path.parent.relative_to(root).as_posix()
                    docker = name != ".gitignore"
                    lines = path.read_text(errors="replace").splitlines()
                    rules += [found for line in lines if (found := parse(line, base, anchored=docker)) is not None]
        return cls(rules)

    def leaves_out(self, path: str, *, folder: bool = False) -> bool:
        """Tell whether a path within the folder is left out; ``/`` separates its parts."""
        left_out = False
        for rule in self._rules:
            if rule.folders_only and not folder:
                continue
            if rule.expression.fullmatch(path):
                left_out = not rule.keeps
        return left_out


def parse(line: str, base: str = ".", *, anchored: bool = False) -> Rule | None:
    """Read a line; None for an empty one or a comment.

    :param base: folder of the file, within the root
    :param anchored: whether a pattern counts from the folder even without a slash (as in ``.dockerignore``)
    """
    text = line.rstrip("\n").rstrip()
    if not text or text.startswith("#"):
        return None
    keeps = text.startswith("!")
    text = text[1:] if keeps else text
    folders_only = text.endswith("/")
    text = text.rstrip("/")
    rooted = anchored or "/" in text
    text = text.lstrip("/").removeprefix("./")
    if not text:
        return None
    prefix = "" if base == "." else re.escape(base) + "/"
    inside = "" if rooted else "(?:.*/)?"
    return Rule(re.compile(prefix + inside + _expression(text)), keeps, folders_only)


def _expression(pattern: str) -> str:
    result, index = "", 0
    while index < len(pattern):
        rest = pattern[index:]
        if rest.startswith("**/"):
            result, index = result + "(?:.*/)?", index + 3
        elif rest.startswith("**"):
            result, index = result + ".*", index + 2
        elif rest[0] == "*":
            result, index = result + "[^/]*", index + 1
        elif rest[0] == "?":
            result, index = result + "[^/]", index + 1
        elif rest[0] == "[" and "]" in rest:
            end = rest.index("]")
            body = rest[1:end]
            result += "[" + ("^" + body[1:] if body.startswith("!") else body) + "]"
            index += end + 1
        else:
            result, index = result + re.escape(rest[0]), index + 1
    return result
