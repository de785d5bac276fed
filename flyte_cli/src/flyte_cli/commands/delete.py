"""`flyte delete`: flytectl's way to end executions."""

from __future__ import annotations

import click

from flyte_cli.client.remotes import remote
from flyte_cli.executions.terminating import cause_option, terminate
from flyte_cli.options.confirmation import dry_run_option
from flyte_cli.options.noun_group import NounGroup
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import output_option


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
