"""`flyte describe`: everything about one thing."""

from __future__ import annotations

import click

from flyte_cli.commands.describe.entities import launch_plans, tasks, workflows
from flyte_cli.commands.describe.executions import executions, nodes
from flyte_cli.options.kinds import KindGroup


@click.group(cls=KindGroup)
def command() -> None:
    """Tell everything about one task, workflow, launch plan, execution or node.

    Singular spellings are understood too, and an id in place of the kind: `flyte describe ex:PROJECT:DOMAIN:NAME`.
    """


for _command in (tasks, workflows, launch_plans, executions, nodes):
    command.add_command(_command)
