"""`flyte relaunch`: runs an execution again."""

from __future__ import annotations

import click

from flyte_cli.client.remotes import remote
from flyte_cli.executions.waiting import name_option, report_started, wait_option
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import output_option


@click.command()
@click.argument("execution", shell_complete=known_executions)
@name_option
@click.option("--overwrite-cache", is_flag=True, help="Run cached tasks too, and replace what the cache holds.")
@wait_option
@project_option
@domain_option
@output_option
def command(
    execution: str, name: str | None, overwrite_cache: bool, wait: bool, project: str, domain: str, output: str
) -> None:
    """Run EXECUTION again, from the start and with the same inputs; print the new execution's name."""
    with remote(project, domain) as client:
        wanted = execution_id(execution, project, domain)
        started = client.relaunch(wanted, name, overwrite_cache=overwrite_cache)
        report_started(client, started.message, wait=wait, output=output)
