"""`flyte init`: a small project that runs at once."""

from __future__ import annotations

from pathlib import Path

import click

from flyte_cli.project_templates import DEFAULT, make_project, template_names
from flyte_cli.showing.output import output_option, print_data


@click.command()
@click.argument("name", type=click.Path(path_type=Path))
@click.option(
    "--template",
    type=click.Choice(template_names()),
    default=DEFAULT,
    show_default=True,
    help="`basic`: two tasks and a workflow; `schedule`: a launch plan that runs every night.",
)
@output_option
def command(name: Path, template: str, output: str) -> None:
    """Make the folder NAME with a workflow, its test and a README. Nothing is downloaded."""
    written = make_project(name, template)
    if output != "table":
        print_data({"project": name.absolute().name, "template": template, "files": list(map(str, written))}, output)
        return
    for path in written:
        click.echo(path)
    click.echo(f"Next: cd {name}, and the first lines of README.md")
