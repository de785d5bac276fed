"""Writes docs/reference/cli.md from the commands themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc
from textwrap import dedent

import click
from generated import main, plain, table

from flyte_cli.main import LazyGroup, cli

UNWRAPPED = "\b\n"
"""Before a paragraph whose lines click leaves as they are."""


def described(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the sections of a command and of those below it."""
    if not isinstance(command, click.Group) or is_open(command):
        yield section(command, context)
        return
    if context.parent is not None:
        shown = section if any(row_of(param, context) for param in command.params) else introduction
        yield shown(command, context)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from described(below, click.Context(below, parent=context, info_name=name))


def is_open(command: click.Group) -> bool:
    """Tell whether what is below a group depends on where it runs: entities of a file, names on a server."""
    return not command.commands and not isinstance(command, LazyGroup)


def introduction(command: click.Command, context: click.Context) -> str:
    """Return the heading of a group that has no options of its own."""
    return f"## {context.command_path}\n\n{prose(command)}"


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
    """Return the help text, a line a paragraph; what click shall not wrap is a block."""
    return "\n\n".join(map(paragraph, cleandoc(command.help or "").split("\n\n")))


def paragraph(text: str) -> str:
    """Return one paragraph of a help text."""
    if text.startswith(UNWRAPPED):
        return f"```text\n{dedent(text.removeprefix(UNWRAPPED)).strip()}\n```"
    return plain(text)


def row_of(param: click.Parameter, context: click.Context) -> tuple[str, str, str] | None:
    """Return an option as a row; arguments are in the usage line."""
    if not isinstance(param, click.Option):
        return None
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    if not param.is_flag:
        names += f" {param.make_metavar(context)}"
    default = default_of(param, context)
    return names, f"`{default}`" if default else "", plain(param.help or "")


def default_of(option: click.Option, context: click.Context) -> str:
    """Return what holds without an option: of two flags one of them; empty where that is nothing."""
    value = option.get_default(context)
    if option.secondary_opts:
        return option.opts[0] if value else option.secondary_opts[0]
    return "" if option.is_flag or not isinstance(value, str | int | float) else str(value)


if __name__ == "__main__":
    body = "\n\n".join(described(cli, click.Context(cli, info_name="flyte")))
    sys.exit(main("reference/cli.md", {"commands": body}))
