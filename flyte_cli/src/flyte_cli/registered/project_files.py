"""Projects as flytectl's files and options describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from flyteidl.admin.project_pb2 import Project

from flyte_cli.options.described_files import read_described, text_of
from flyte_cli.programs.pairs import pairs_of
from flyte_core.errors import InvalidInput

_KEYS = ("id", "name", "description", "labels")


def project_parts(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of what a project consists of."""
    for option in (
        click.option("--file", type=click.Path(path_type=Path), help="YAML with id, name, description and labels."),
        click.option("--labels", multiple=True, metavar="KEY=VALUE", help="In place of the labels that there are."),
        click.option("--description", help="Description."),
        click.option("--name", help="Name for people."),
        click.option("--id", "identifier", help="Id; the argument may say it too."),
    ):
        command = option(command)
    return command


def described_project(
    base: Project,
    file: Path | None,
    name: str | None,
    description: str | None,
    labels: Sequence[str],
) -> Project:
    """Return a project with what file and options say; an option wins over the file, the file over ``base``.

    :raises flyte_core.errors.InvalidInput: naming the key of the file that is wrong
    """
    project = Project()
    project.CopyFrom(base)
    if file is not None:
        _apply(read_described(file, _KEYS), file, project)
    if name is not None:
        project.name = name
    if description is not None:
        project.description = description
    if labels:
        project.labels.values.clear()
        project.labels.values.update(pairs_of(_one_by_one(labels), "--labels"))
    return project


def _apply(found: dict[str, Any], file: Path, project: Project) -> None:
    identifier = text_of(found, "id", file)
    if project.id and identifier and project.id != identifier:
        raise InvalidInput(f"{file}: id: {identifier!r} is another project than {project.id!r}: leave one out")
    project.id = project.id or identifier
    for key in ("name", "description"):
        if key in found:
            setattr(project, key, text_of(found, key, file))
    if "labels" in found:
        labels = found["labels"] or {}
        values = labels.get("values", {}) if isinstance(labels, dict) else None
        if not isinstance(values, dict):
            raise InvalidInput(f"{file}: labels: write `labels: {{values: {{KEY: VALUE}}}}`", field="labels")
        project.labels.values.clear()
        project.labels.values.update({str(key): str(value) for key, value in values.items()})


def file_id(file: Path | None) -> str:
    """Return the id that a file names, empty without a file."""
    return text_of(read_described(file, _KEYS), "id", file) if file is not None else ""


def _one_by_one(texts: Sequence[str]) -> Iterator[str]:
    """Yield pairs; flytectl has several of them in one text, with commas between."""
    for text in texts:
        parts = text.split(",")
        yield from parts if all("=" in part for part in parts) else [text]
