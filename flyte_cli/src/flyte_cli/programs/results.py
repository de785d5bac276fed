"""Prints what a run gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_cli.showing.literal_values import literal_text, plain_map


def print_outputs(outputs: LiteralMap, indent: str = "") -> None:
    """Print outputs, one a line; of one output called ``o0`` the value alone."""
    literals = outputs.literals
    for name in sorted(literals):
        label = "" if len(literals) == 1 and name == "o0" and not indent else f"{name}: "
        click.echo(f"{indent}{label}{literal_text(literals[name])}")


def outputs_data(outputs: LiteralMap) -> Mapping[str, Any]:
    """Return outputs as JSON-like data."""
    return plain_map(outputs)
