"""`flyte get`: what the control plane knows."""

from __future__ import annotations

import click

from flyte_cli.commands.get.entities import launch_plans, tasks, workflows
from flyte_cli.commands.get.executions import executions
from flyte_cli.commands.get.nodes import nodes, task_executions
from flyte_cli.commands.get.projects import projects
from flyte_cli.commands.get.signals import signals
from flyte_cli.options.kinds import KindGroup


@click.group(cls=KindGroup)
def command() -> None:
    """List what the control plane knows.

    Singular spellings are understood too. Things are named by a plain name, or by a URN as `-o name` prints it
    (`ex:PROJECT:DOMAIN:NAME`, `tsk:PROJECT:DOMAIN:NAME:VERSION`, `wf:…`, `lp:…`); executions by their page's URL too.
    """


for _command in (projects, tasks, workflows, launch_plans, executions, nodes, task_executions, signals):
    command.add_command(_command)
