"""Prints rows as a table, names, JSON or YAML."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from flyte_cli.showing.masking import masked
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import yaml
    from google.protobuf import json_format
    from google.protobuf.message import Message
else:
    yaml = deferred("yaml")
    json_format = deferred("google.protobuf.json_format")

output_option = click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Format."
)
rows_output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "wide", "name", "json", "yaml"]),
    default="table",
    show_default=True,
    help="Format; `wide` has more columns, `name` is one id a line, for other commands.",
)
"""The same, of commands that print rows."""

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
        lines = [[printable(show(row)) for _, show in self._columns] for row in rows]
        if not self._widths:
            headings = [heading for heading, _ in self._columns]
            self._widths = [max(map(len, cells)) for cells in zip(headings, *lines, strict=True)]
            click.secho(self._line(headings), bold=True)
        for cells in lines:
            click.echo(self._line(cells))

    def _line(self, cells: Sequence[str]) -> str:
        return GAP.join(cell.ljust(width) for cell, width in zip(cells, self._widths, strict=True)).rstrip()


@dataclass(frozen=True, slots=True)
class View:
    """How things of one kind are shown.

    :ivar columns: of the table
    :ivar further: columns that ``-o wide`` has beyond them
    :ivar name: the id by which other commands take the thing
    """

    columns: Sequence[Column]
    name: Callable[[Any], str]
    further: Sequence[Column] = ()


class RowPrinter:
    """Prints rows as they come: under one heading; JSON and YAML as one document for each."""

    def __init__(self, view: View, output: str) -> None:
        self._name = view.name
        self._output = output
        self._table = Table([*view.columns, *(view.further if output == "wide" else ())])

    def print(self, rows: Sequence[Message]) -> None:
        """Print rows."""
        match self._output:
            case "table" | "wide":
                self._table.print(rows)
            case "name":
                for row in rows:
                    click.echo(self._name(row))
            case _:
                for row in rows:
                    print_document(as_data(row), self._output)
        sys.stdout.flush()


def print_rows(rows: Sequence[Message], view: View, output: str) -> None:
    """Print protobuf messages; JSON and YAML show them whole, as one list, with proto field names."""
    if output in ("json", "yaml"):
        print_data([as_data(row) for row in rows], output)
    else:
        RowPrinter(view, output).print(rows)


def as_data(row: Message) -> dict[str, Any]:
    """Return a message as JSON-like data, with proto field names; the values of secret variables are hidden."""
    data: dict[str, Any] = masked(json_format.MessageToDict(row, preserving_proto_field_name=True))
    return data


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


def printable(text: str) -> str:
    """Return a text of one line without what a terminal would act on."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
