"""`flyte local-cache`: results of cached tasks that ran on this machine."""

from __future__ import annotations

import click

from flyte_cli.showing.output import output_option, print_data
from flyte_kit.core.local_cache import LocalTaskCache


@click.group()
def command() -> None:
    """Look after the results that local runs keep of tasks with a cache."""


@command.command()
@output_option
def clear(output: str) -> None:
    """Forget all of them; the tasks run again next time."""
    LocalTaskCache.clear()
    if output == "table":
        click.echo("cleared")
    else:
        print_data({"cleared": True}, output)
