"""`flyte launchplan`: which version of a launch plan is active, in pyflyte's words and in plain ones."""

from __future__ import annotations

import click

from flyte_cli.client.remotes import remote
from flyte_cli.options.completion_values import launch_plan_names, launch_plan_versions
from flyte_cli.options.confirmation import dry_run_option
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.registered.activation import activate, deactivate, find_plan, report_activation
from flyte_cli.showing.output import output_option

UNNAMED = "set"


class _PlanGroup(click.Group):
    """A group that takes what is none of its commands as pyflyte's ``NAME [VERSION] --activate|--deactivate``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the unnamed command in front of what does not begin with a command."""
        if args and args[0] not in {*self.list_commands(ctx), *ctx.help_option_names}:
            args = [UNNAMED, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names that users write."""
        return [name for name in super().list_commands(ctx) if name != UNNAMED]


@click.group(cls=_PlanGroup, subcommand_metavar="[activate|deactivate] NAME [VERSION]")
def command() -> None:
    """Activate or deactivate a version of a launch plan: its schedule runs, and it is the one that others launch.

    At most one version of a name is active. pyflyte's spelling works too: flyte launchplan NAME [VERSION] --activate.
    """


@command.command(name="activate")
@click.argument("name", shell_complete=launch_plan_names)
@click.argument("version", default="", shell_complete=launch_plan_versions)
@dry_run_option
@project_option
@domain_option
@output_option
def activate_command(name: str, version: str, dry_run: bool, project: str, domain: str, output: str) -> None:
    """Make VERSION the active one, the newest if none is given; another that was active is not any more."""
    with remote(project, domain) as client:
        plan = find_plan(client, name, version, project, domain)
        report_activation(activate(client, plan, dry_run=dry_run), output)


@command.command(name="deactivate")
@click.argument("name", shell_complete=launch_plan_names)
@click.argument("version", default="", shell_complete=launch_plan_versions)
@dry_run_option
@project_option
@domain_option
@output_option
def deactivate_command(name: str, version: str, dry_run: bool, project: str, domain: str, output: str) -> None:
    """Make VERSION inactive, the active one if none is given: its schedule stops."""
    with remote(project, domain) as client:
        plan = find_plan(client, name, version, project, domain, active=True)
        report_activation(deactivate(client, plan, dry_run=dry_run), output)


@command.command(name=UNNAMED)
@click.argument("name", shell_complete=launch_plan_names)
@click.argument("version", default="", shell_complete=launch_plan_versions)
@click.option("--activate", "wanted", flag_value="activate", help="Make it the active version.")
@click.option("--deactivate", "wanted", flag_value="deactivate", help="Make it inactive.")
@dry_run_option
@project_option
@domain_option
@output_option
@click.pass_context
def pyflytes(context: click.Context, /, wanted: str | None, **options: object) -> None:
    """Do what pyflyte does with these words."""
    if wanted is None:
        raise click.UsageError("say --activate or --deactivate")
    context.invoke(activate_command if wanted == "activate" else deactivate_command, **options)
