"""Asks before something is done that cannot be taken back, or that changes what others see."""

from __future__ import annotations

import sys

import click

yes_option = click.option("-y", "--yes", "--force", "yes", is_flag=True, help="Do not ask.")
dry_run_option = click.option("--dry-run", "--dryRun", "dry_run", is_flag=True, help="Say what would be done only.")


def confirm(question: str, *, yes: bool) -> None:
    """Return if the user agrees, or has agreed with ``--yes``.

    :raises click.UsageError: if nobody is there to ask, because stdin is no terminal
    :raises click.ClickException: if the user does not agree
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody can be asked here: say --yes.")
    if not click.confirm(question, err=True):
        raise click.ClickException("nothing was changed: it was not agreed to")
