"""Projects to begin with: folders of files in this package, with the name of the project still to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from flyte_core.errors import AlreadyExists, InvalidInput

DEFAULT = "basic"
_SUFFIX = ".tmpl"
_PLACEHOLDER = "{{name}}"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*")


def template_names() -> list[str]:
    """Return the names of the templates."""
    return sorted(folder.name for folder in _root().iterdir() if folder.is_dir())


def make_project(folder: Path, template: str) -> list[Path]:
    """Write a project and return its files.

    :param folder: of the project, which is named like it
    :raises flyte_core.errors.AlreadyExists: if there is something at that place
    :raises flyte_core.errors.InvalidInput: if its name cannot be that of a Python project
    """
    name = folder.absolute().name
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} cannot name a project: use letters, digits and single '-', '_' or '.' between")
    if folder.exists():
        raise AlreadyExists(f"{folder} exists already: give another name, or remove it")
    written = []
    for place, source in _sources(_root() / template, PurePosixPath()):
        target = folder / place.with_name(place.name.removesuffix(_SUFFIX))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text().replace(_PLACEHOLDER, name))
        written.append(target)
    return sorted(written)


def _root() -> Traversable:
    return files("flyte_cli") / "templates"


def _sources(folder: Traversable, place: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _sources(each, place / each.name)
        elif each.name.endswith(_SUFFIX):
            yield place / each.name, each
