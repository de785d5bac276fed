"""Changes things of the control plane: shows what will be different, asks, and does it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click
import yaml

from flyte_cli.options.confirmation import confirm
from flyte_cli.showing.output import print_data


@dataclass(frozen=True, slots=True)
class Manner:
    """How a change is made.

    :ivar yes: do not ask
    :ivar dry_run: show only
    :ivar output: format in which it is told
    """

    yes: bool
    dry_run: bool
    output: str


def change(
    what: str, before: Mapping[str, Any], after: Mapping[str, Any], apply: Callable[[], object], manner: Manner
) -> None:
    """Show a difference, ask whether it is wanted, and call ``apply``; what is the same already is left alone.

    :param what: the thing, for people
    :raises click.UsageError: if nobody can be asked
    :raises click.ClickException: if it is not wanted
    """
    differs, dry_run, output = before != after, manner.dry_run, manner.output
    if output == "table":
        click.echo("\n".join([what, *_difference(before, after)]) if differs else f"{what}: nothing to change")
    if differs and not dry_run:
        confirm(f"Change {what}?", yes=manner.yes)
        apply()
    if output != "table":
        data = {"what": what, "before": before, "after": after, "changed": differs and not dry_run, "dry_run": dry_run}
        print_data(data, output)
    elif differs:
        click.echo("not changed: this is a dry run" if dry_run else "changed")


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    colours = {"-": "red", "+": "green"}
    for line in difflib.ndiff(_lines(before), _lines(after)):
        if not line.startswith("?"):
            yield click.style(line, fg=colours.get(line[0]))


def _lines(data: Mapping[str, Any]) -> list[str]:
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True).splitlines()
