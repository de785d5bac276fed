"""`flyte serialize`: what would be registered, as files of messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flyte_cli.programs.collecting import counted, messages_of, read_program, settings_with
from flyte_cli.programs.launch_options import with_options
from flyte_cli.programs.registration_options import COPY, registration_options, settings_of
from flyte_cli.showing.output import output_option, print_data
from flyte_kit.registration.archives import DESTINATION, PLACEHOLDERS, REMOTE_CODE, files_of


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER|PACKAGE...")
@click.option(
    "-f", "--folder", type=click.Path(path_type=Path), default=Path(), help="Where to write; here without it."
)
@click.option("-p", "--project", default=PLACEHOLDERS[0], help="Project; decided by who registers without it.")
@click.option("-d", "--domain", default=PLACEHOLDERS[1], help="Domain; the same.")
@click.option("-v", "--version", default=PLACEHOLDERS[2], help="Version; the same.")
@with_options(registration_options("none", "auto", "all"))
@click.option("--env", "--envvars", multiple=True, metavar="KEY=VALUE", help="Variable of all tasks; many.")
@output_option
def command(sources: tuple[str, ...], folder: Path, output: str, **options: Any) -> None:
    """Write each task, workflow and launch plan as one protobuf file, by which others register it."""
    settings = settings_of(options, project=options["project"], domain=options["domain"], version=options["version"])
    program = read_program(sources)
    code = program.pack(COPY[options["copy"]])
    messages = messages_of(settings_with(settings, code, REMOTE_CODE, DESTINATION, root=program.root))
    folder.mkdir(parents=True, exist_ok=True)
    files = files_of(messages)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    names = [*files, *([code.save(folder).name] if code is not None else [])]
    if output == "table":
        click.echo(f"{folder}: {counted(messages)}")
    else:
        print_data({"folder": str(folder), "files": names}, output)
