"""A group of commands named by nouns, as flytectl's: each noun may be in the plural."""

from __future__ import annotations

import click


class NounGroup(click.Group):
    """Finds ``projects`` where the command is ``project``."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a noun; None when there is none."""
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, cmd_name.removesuffix("s"))
