"""Writes docs/reference/cli.md from the commands themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
from generated import main, plain, table

from flyte_cli.main import cli


def described(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the sections of a command and of those below it."""
    if not isinstance(command, click.Group):
        yield section(command, context)
        return
    if context.parent is not None:
        yield f"## {context.command_path}\n\n{prose(command)}"
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from described(below, click.Context(below, parent=context, info_name=name))


def section(command: click.Command, context: click.Context) -> str:
    """Return one command: usage, what it does, options."""
    usage = " ".join(command.collect_usage_pieces(context))
    heading = "##" if context.parent is not None and context.parent.parent is None else "###"
    parts = [f"{heading} {context.command_path}", f"`{context.command_path} {usage}`", prose(command)]
    rows = [option for option in (row_of(param, context) for param in command.params) if option]
    if rows:
        parts.append(table(("option", "default", "meaning"), rows))
    return "\n\n".join(parts)


def prose(command: click.Command) -> str:
    """Return the help text, a line a paragraph."""
    return "\n\n".join(plain(paragraph) for paragraph in (command.help or "").split("\n\n"))


def row_of(param: click.Parameter, context: click.Context) -> tuple[str, str, str] | None:
    """Return an option as a row; arguments are in the usage line."""
    if not isinstance(param, click.Option):
        return None
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    if not param.is_flag:
        names += f" {param.make_metavar(context)}"
    default = "" if param.is_flag or param.multiple or param.default is None else f"`{param.default}`"
    return names, default, plain(param.help or "")


if __name__ == "__main__":
    body = "\n\n".join(described(cli, click.Context(cli, info_name="flyte")))
    sys.exit(main("reference/cli.md", {"commands": body}))
