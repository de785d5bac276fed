"""`flyte build`: the images of a program, by the installed builders."""

from __future__ import annotations

from pathlib import Path

import click

from flyte_cli.options.where import domain_option, project_option
from flyte_cli.programs.entities import entities_of, load_file
from flyte_cli.programs.registration_options import image_option
from flyte_cli.showing.output import Column, Table, output_option, print_data
from flyte_kit.configuration.images import ImageConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.image_spec.image_spec import BuildOutcome, ImageBuild, ImageBuildEngine
from flyte_kit.registration.sources import project_root
from flyte_kit.serialization.entities import Serializer

COLUMNS: list[Column] = [
    ("IMAGE", lambda each: each.image),
    ("BUILDER", lambda each: each.builder or "-"),
    ("STATUS", lambda each: each.outcome.value),
]


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("names", nargs=-1, metavar="[ENTITY]...")
@project_option
@domain_option
@click.option("--fast", is_flag=True, help="Leave the code out of the images: tasks fetch it when they start.")
@image_option
@output_option
def command(
    file: Path, names: tuple[str, ...], project: str, domain: str, fast: bool, images: tuple[str, ...], output: str
) -> None:
    """Build the images (`ImageSpec`) that ENTITY of FILE needs, a task, workflow or launch plan; without it all.

    What builds them is an installed package with an entry point in `flyte.image_builders`. Their names are those that
    `flyte register --copy none` gives them; with --fast those of a registration whose tasks fetch their code.
    """
    found = entities_of(load_file(file))
    for name in names:
        if name not in found:
            raise click.UsageError(f"{file} has no {name!r}; it defines {', '.join(found) or 'nothing that can run'}.")
    root = None if fast else str(project_root(file))
    config = ImageConfig.validate_image(images)
    settings = SerializationSettings(config, project=project, domain=domain, version="build", source_root=root)
    serializer = Serializer(settings)
    for name in names or found:
        serializer.add(found[name])
    _report(file, [*ImageBuildEngine.builds.values()], output)


def _report(file: Path, builds: list[ImageBuild], output: str) -> None:
    if output != "table":
        rows = [{"image": each.image, "builder": each.builder, "status": each.outcome.value} for each in builds]
        print_data({"images": rows}, output)
    elif builds:
        Table(COLUMNS).print(builds)
    else:
        click.echo(f"{file}: no task asks for an image of its own (ImageSpec)")
    if any(each.outcome is BuildOutcome.NO_BUILDER for each in builds):
        click.echo("No installed package builds images: their names go to the cluster as they are.", err=True)
