"""`flyte local-cache`: results of cached tasks that ran on this machine."""

from __future__ import annotations

import click

from flyte_kit.core.local_cache import LocalTaskCache


@click.group()
def command() -> None:
    """Look after the results that local runs keep of tasks with a cache."""


@command.command()
def clear() -> None:
    """Forget all of them; the tasks run again next time."""
    LocalTaskCache.clear()
    click.echo("cleared")
