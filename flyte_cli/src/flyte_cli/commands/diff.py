"""`flyte diff`: what a registration would change."""

from __future__ import annotations

from typing import Any

import click

from flyte_cli.options.where import domain_option, project_option
from flyte_cli.programs.collecting import messages_of, read_program, settings_with
from flyte_cli.programs.differences import show_differences
from flyte_cli.programs.launch_options import with_options
from flyte_cli.programs.registration_options import COPY, registration_options, settings_of
from flyte_cli.showing.output import output_option


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER|PACKAGE...")
@project_option
@domain_option
@click.option("-v", "--version", default="", help="Compare with this version, not with the newest of each name.")
@with_options(registration_options("auto", "all", "none"))
@click.option("--env", "--envvars", multiple=True, metavar="KEY=VALUE", help="Variable of all tasks; many.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when something differs.")
@output_option
def command(sources: tuple[str, ...], project: str, domain: str, version: str, output: str, **options: Any) -> None:
    """Show how tasks, workflows and launch plans differ from what is registered. Nothing is sent."""
    settings = settings_of(options, project=project, domain=domain, version=version or "new")
    program = read_program(sources)
    code = program.pack(COPY[options["copy"]])
    messages = messages_of(settings_with(settings, code, "", options["destination_dir"], root=program.root))
    changed = show_differences(messages, project, domain, output, version)
    if changed and options["exit_code"]:
        raise SystemExit(1)
