"""Prints rows as a table, JSON or YAML."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click
import yaml
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table

output_option = click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Format."
)

Column = tuple[str, Callable[[Any], str]]
"""Heading, and what to show of one row."""


def print_messages(rows: Sequence[Message], columns: Sequence[Column], output: str) -> None:
    """Print protobuf messages; JSON and YAML show them whole, with proto field names."""
    if output == "table":
        print_table(rows, columns)
    else:
        print_data([MessageToDict(row, preserving_proto_field_name=True) for row in rows], output)


def print_table(rows: Sequence[Any], columns: Sequence[Column]) -> None:
    """Print a plain table; a terminal that is no terminal gets full-width lines."""
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, _ in columns:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*[show(row) for _, show in columns])
    if not console.is_terminal:
        console = Console(width=240)
    console.print(table)


def print_data(data: Any, output: str) -> None:
    """Print JSON-like data as JSON or YAML."""
    if output == "yaml":
        click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
