"""`flyte package`: what would be registered, as one archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flyte_cli.programs.collecting import counted, kind_of, messages_of, name_of, read_program, settings_with
from flyte_cli.programs.launch_options import with_options
from flyte_cli.programs.registration_options import COPY, registration_options, settings_of
from flyte_cli.showing.output import print_data
from flyte_kit.registration.archives import DESTINATION, PLACEHOLDERS, REMOTE_CODE, write_archive


@click.command()
@click.argument("sources", nargs=-1, metavar="[FILE|FOLDER|PACKAGE]...")
@click.option("-k", "--pkgs", multiple=True, help="A package, file or folder; many. The same as arguments.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("flyte-package.tgz"),
    show_default=True,
    help="Archive to write.",
)
@click.option("-f", "--force", is_flag=True, help="Replace an archive that is there.")
@click.option("--fast", is_flag=True, help="The same as --copy all: the code goes along.")
@with_options(registration_options("none", "auto", "all"))
@click.option("--env", "--envvars", multiple=True, metavar="KEY=VALUE", help="Variable of all tasks; many.")
@click.option("--deref-symlinks", is_flag=True, help="Pack what links point to, in place of the links.")
@click.option("--json", "as_json", is_flag=True, help="Say what was packed as JSON; -o is the archive.")
def command(
    sources: tuple[str, ...], pkgs: tuple[str, ...], output: Path, force: bool, as_json: bool, **options: Any
) -> None:
    """Pack what files, folders or packages define, for `flyte register ARCHIVE` or `flytectl register files`."""
    given = (*sources, *pkgs)
    if not given:
        raise click.UsageError("name what to package: flyte package workflows/")
    if output.exists() and not force:
        raise click.ClickException(f"{output} is there already: --force replaces it, --output names another")
    settings = settings_of(options, project=PLACEHOLDERS[0], domain=PLACEHOLDERS[1], version=PLACEHOLDERS[2])
    program = read_program(given)
    code = program.pack(COPY["all" if options["fast"] else options["copy"]], deref_symlinks=options["deref_symlinks"])
    messages = messages_of(settings_with(settings, code, REMOTE_CODE, DESTINATION, root=program.root))
    write_archive(output, messages, code)
    if as_json:
        packed = [{"kind": kind_of(message), "name": name_of(message)} for message in messages]
        print_data({"archive": str(output), "entities": packed, "code": code.name if code else None}, "json")
    else:
        click.echo(f"{output}: {counted(messages)}{', with the code' if code else ''}")
