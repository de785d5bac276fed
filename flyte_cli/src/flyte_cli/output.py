"""Prints rows as a table, JSON or YAML."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
import yaml
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

output_option = click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Format."
)

Column = tuple[str, Callable[[Any], str]]
"""Heading, and what to show of one row."""

GAP = "  "


class Table:
    """A plain table that can grow: later rows keep the widths of the first ones.

    What cannot be printed (the control characters of a terminal, for one) is shown as a blank.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._widths: list[int] = []

    def print(self, rows: Sequence[Any]) -> None:
        """Print rows; the first time under a heading."""
        lines = [[_printable(show(row)) for _, show in self._columns] for row in rows]
        if not self._widths:
            headings = [heading for heading, _ in self._columns]
            self._widths = [max(map(len, cells)) for cells in zip(headings, *lines, strict=True)]
            click.secho(self._line(headings), bold=True)
        for cells in lines:
            click.echo(self._line(cells))

    def _line(self, cells: Sequence[str]) -> str:
        return GAP.join(cell.ljust(width) for cell, width in zip(cells, self._widths, strict=True)).rstrip()


def print_messages(rows: Sequence[Message], columns: Sequence[Column], output: str) -> None:
    """Print protobuf messages; JSON and YAML show them whole, with proto field names."""
    if output == "table":
        Table(columns).print(rows)
    else:
        print_data([as_data(row) for row in rows], output)


def as_data(row: Message) -> dict[str, Any]:
    """Return a message as JSON-like data, with proto field names."""
    return MessageToDict(row, preserving_proto_field_name=True)


def print_data(data: Any, output: str) -> None:
    """Print JSON-like data as JSON or YAML."""
    if output == "yaml":
        click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def print_document(data: Any, output: str) -> None:
    """Print one of many documents, at once: a line of JSON, or a document of YAML."""
    if output == "yaml":
        click.echo("---")
        print_data(data, output)
    else:
        click.echo(json.dumps(data, ensure_ascii=False))
    sys.stdout.flush()


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
