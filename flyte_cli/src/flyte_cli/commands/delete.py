"""`flyte delete`: flytectl's way to end executions."""

from __future__ import annotations

import click

from flyte_cli.confirmation import dry_run_option
from flyte_cli.noun_group import NounGroup
from flyte_cli.output import output_option
from flyte_cli.remotes import remote
from flyte_cli.terminating import cause_option, terminate
from flyte_cli.urns import execution_id
from flyte_cli.where import domain_option, project_option


@click.group(cls=NounGroup)
def command() -> None:
    """End executions, in flytectl's words."""


@command.command()
@click.argument("names", nargs=-1, required=True)
@cause_option
@dry_run_option
@project_option
@domain_option
@output_option
def execution(names: tuple[str, ...], cause: str, dry_run: bool, project: str, domain: str, output: str) -> None:
    """End executions, as `flyte terminate` does; what is known of them stays."""
    with remote(project, domain) as client:
        wanted = [execution_id(text, project, domain) for text in dict.fromkeys(names)]
        terminate(client, wanted, cause, dry_run=dry_run, output=output)
