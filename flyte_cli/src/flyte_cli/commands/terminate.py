"""`flyte terminate`: ends executions before their time."""

from __future__ import annotations

import click

from flyte_cli.client.remotes import remote
from flyte_cli.executions.terminating import LIVE_PHASES, cause_option, choose, terminate
from flyte_cli.options.completion_values import executions as known_executions
from flyte_cli.options.confirmation import dry_run_option, yes_option
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import output_option


@click.command()
@click.argument("executions", shell_complete=known_executions, nargs=-1)
@cause_option
@click.option("--all", "all_of_them", is_flag=True, help="End all that run in the project's domain, after a question.")
@click.option(
    "--phase",
    "phases",
    type=click.Choice(LIVE_PHASES, case_sensitive=False),
    multiple=True,
    help="With --all: those in this phase only; may be given again.",
)
@dry_run_option
@yes_option
@project_option
@domain_option
@output_option
def command(
    executions: tuple[str, ...],
    cause: str,
    all_of_them: bool,
    phases: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    project: str,
    domain: str,
    output: str,
) -> None:
    """End EXECUTIONS: their tasks are stopped, and they are ABORTED once those have ended.

    One that cannot be ended does not keep the others from it; the exit code is 1 then.
    """
    if bool(executions) == all_of_them:
        raise click.UsageError("give the names of executions, or --all")
    if phases and not all_of_them:
        raise click.UsageError("--phase chooses among all: give --all too")
    with remote(project, domain) as client:
        wanted = choose(client, executions, phases, project, domain, ask=not (yes or dry_run))
        terminate(client, wanted, cause, dry_run=dry_run, output=output)
