"""`flyte completion`: what a shell needs to complete commands, options, and names that the server knows."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_FLYTE_COMPLETE"
"""Set by the script when it asks this program for values."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete `flyte`.

    \b
    bash, in ~/.bashrc:                    eval "$(flyte completion bash)"
    zsh, in ~/.zshrc:                      eval "$(flyte completion zsh)"
    fish: flyte completion fish > ~/.config/fish/completions/flyte.fish

    Names of projects, entities and executions come from the server, which has one second to answer.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "flyte", VARIABLE).source())
