"""Prints a description - names and values, some of them nested - for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from flyte_cli.showing.output import GAP, print_data, printable

INDENT = "  "


def print_description(data: Mapping[str, Any], output: str) -> None:
    """Print a description as text, JSON or YAML; empty values are left out of the text."""
    if output == "table":
        for line in description_lines(data):
            click.echo(line)
    else:
        print_data(data, output)


def description_lines(data: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Yield the lines: ``name: value`` first, then what has parts of its own below its name."""
    shown = {key: value for key, value in data.items() if not _is_empty(value)}
    short = {name: value for name, value in shown.items() if not _is_long(value)}
    width = max(map(len, short), default=0) + 1
    for name, value in short.items():
        yield f"{indent}{f'{name}:'.ljust(width)} {_one_line(value)}"
    for name, value in shown.items():
        if name not in short:
            yield f"{indent}{click.style(f'{name}:', bold=True)}"
            yield from _parts(value, indent + INDENT)


def table_lines(rows: Sequence[Mapping[str, Any]], indent: str) -> Iterator[str]:
    """Yield rows as a table with the names of the first one as headings; columns without any value are left out."""
    names = [name for name in rows[0] if any(not _is_empty(row.get(name)) for row in rows)]
    cells = [
        [name.upper() for name in names],
        *([_one_line(row.get(name)) for name in names] for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield (indent + GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))).rstrip()


def _parts(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from description_lines(value, indent)
    elif isinstance(value, str):
        yield from (indent + printable(line) for line in value.strip("\n").splitlines())
    elif isinstance(value[0], Mapping):
        yield from table_lines(value, indent)
    else:
        yield from (indent + _one_line(each) for each in value)


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_empty, value.values()))
    return value is None or value is False or (isinstance(value, str | Sequence) and not value)


def _is_long(value: Any) -> bool:
    return isinstance(value, Mapping | list) or (isinstance(value, str) and "\n" in value.strip("\n"))


def _one_line(value: Any) -> str:
    if value is None:
        return ""
    return printable("yes" if value is True else "no" if value is False else str(value).strip("\n"))
