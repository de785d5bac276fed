"""`flyte check`: what is wrong with a program, before anything is sent."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from flyte_cli.options.where import domain_option, project_option
from flyte_cli.programs.checking import NOT_IMPORTED, Found, check
from flyte_cli.programs.collecting import counted
from flyte_cli.programs.entities import load
from flyte_cli.programs.failures import failure
from flyte_cli.programs.registration_options import image_option
from flyte_cli.showing.output import Column, Table, output_option, print_data
from flyte_core.errors import NotFound
from flyte_kit.configuration.images import ImageConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.context_manager import FlyteEntities
from flyte_kit.serialization.entities import whole_program

COLUMNS: list[Column] = [
    ("WHERE", lambda found: f"{found.name} {found.node}".strip()),
    ("PROBLEM", lambda found: found.code),
    ("DESCRIPTION", lambda found: found.description),
]


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER|PACKAGE...")
@project_option
@domain_option
@image_option
@output_option
def command(sources: tuple[str, ...], project: str, domain: str, images: tuple[str, ...], output: str) -> None:
    """Check the tasks, workflows and launch plans of files, folders or packages, and tell all problems at once.

    Everything is put together and compiled as a registration does it: types and inputs, images and their builders,
    secrets. Nothing is run, built or sent; what a dynamic task will do is not known before it runs, and what the
    program only refers to counts as being there. The exit code is 1 when there are problems.
    """
    problems: list[Found] = []

    def not_imported(file: Path, error: Exception) -> None:
        problems.append(Found(str(file), "", NOT_IMPORTED, failure(str(file), error).message))

    load(sources, not_imported)
    if not FlyteEntities.entities and not problems:
        raise NotFound(f"{', '.join(sources)}: no task, workflow or launch plan is defined there")
    settings = SerializationSettings(
        ImageConfig.validate_image(images), project=project, domain=domain, version="checked"
    )
    checked = check([*whole_program()], settings)
    problems += checked.problems
    if output != "table":
        print_data(
            {"checked": counted(checked.messages), "problems": [dataclasses.asdict(p) for p in problems]}, output
        )
    elif problems:
        Table(COLUMNS).print(problems)
    else:
        click.echo(f"{counted(checked.messages)}: no problems")
    if problems:
        raise click.ClickException(
            f"{len(problems)} problem{'s' if len(problems) != 1 else ''} in {', '.join(sources)}"
        )
