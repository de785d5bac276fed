"""`flyte execute`: starts what is registered."""

from __future__ import annotations

from typing import Any

import click

from flyte_cli.programs.launch_options import launch_options, with_options


class ExecuteGroup(click.Group):
    """Kinds of what is registered."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the kinds."""
        return ["launch-plan", "task", "workflow"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the group of a kind's names."""
        kind = {"launchplan": "launch-plan", "lp": "launch-plan", "wf": "workflow"}.get(cmd_name, cmd_name)
        if kind not in self.list_commands(ctx):
            return None
        from flyte_cli.programs.registered_entities import RegisteredGroup

        return RegisteredGroup(kind, lambda: ctx.params, name=cmd_name)


@click.group(cls=ExecuteGroup, subcommand_metavar="KIND NAME[:VERSION] [INPUTS]...")
@with_options(launch_options())
def command(**values: Any) -> None:
    """Start a registered launch plan, workflow or task; its inputs are options.

    \b
      flyte execute --follow launch-plan train.wf --epochs 3
      flyte execute launch-plan train.wf --help     (lists the inputs)

    Options stand before KIND. Without VERSION the newest, of launch plans the active one where there is one.
    """
