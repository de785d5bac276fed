"""`flyte wait`: waits until executions have ended."""

from __future__ import annotations

from datetime import timedelta

import click

from flyte_cli.client.remotes import remote
from flyte_cli.executions.waiting import check_succeeded, poll_option, print_ended, timeout_option, wait_until_ended
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.urns import execution_id
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import as_data, output_option, print_data


@click.command()
@click.argument("executions", shell_complete=known_executions, nargs=-1, required=True)
@timeout_option
@poll_option
@project_option
@domain_option
@output_option
def command(
    executions: tuple[str, ...],
    timeout: timedelta | None,
    poll_interval: timedelta,
    project: str,
    domain: str,
    output: str,
) -> None:
    """Wait until all EXECUTIONS have ended. Exit code 0 if each has succeeded, else 1 with the reasons on stderr."""
    wanted = [execution_id(text, project, domain) for text in dict.fromkeys(executions)]
    with remote(project, domain) as client:
        rows = wait_until_ended(
            client,
            wanted,
            print_ended if output == "table" else None,
            timeout=timeout,
            longest_pause=poll_interval.total_seconds(),
        )
    if output != "table":
        print_data([as_data(row) for row in rows], output)
    check_succeeded(rows)
