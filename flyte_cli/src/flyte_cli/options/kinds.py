"""The kinds of things that `flyte get` and `flyte describe` know, and the other spellings of their names."""

from __future__ import annotations

from collections.abc import Mapping

import click

from flyte_cli.options.urns import urn_prefix

SPELLINGS: Mapping[str, str] = {
    "project": "projects",
    "task": "tasks",
    "workflow": "workflows",
    "wf": "workflows",
    "launch-plan": "launch-plans",
    "launchplan": "launch-plans",
    "launchplans": "launch-plans",
    "lp": "launch-plans",
    "execution": "executions",
    "exec": "executions",
    "node": "nodes",
    "node-executions": "nodes",
    "task-execution": "task-executions",
    "attempt": "task-executions",
    "attempts": "task-executions",
    "signal": "signals",
}
"""Other spelling → the command's name; the singular ones are flytectl's."""

_OF_PREFIX = {"ex": "executions", "tsk": "tasks", "wf": "workflows", "lp": "launch-plans"}


class KindGroup(click.Group):
    """A group with a command for each kind, under all spellings; an id in place of the kind names its own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, by name, spelling, URN or the URL of an execution's page."""
        first = args[0]
        kind = "executions" if first.startswith(("http://", "https://")) else _OF_PREFIX.get(urn_prefix(first), "")
        return super().resolve_command(ctx, [kind, *args] if kind else args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a kind, whichever way it is spelt; None when there is none."""
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, SPELLINGS.get(cmd_name, ""))
