"""`flyte top`: what runs now."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.signal_pb2_grpc import SignalServiceStub

from flyte_cli.client.connection import connected
from flyte_cli.client.patience import Patience
from flyte_cli.executions.node_facts import COLORS
from flyte_cli.executions.waiting_reasons import Running, RunningReader
from flyte_cli.options.where import domain_option, project_option
from flyte_cli.showing.output import Column, Table, output_option, print_data, printable
from flyte_cli.showing.times import duration_text, now

if TYPE_CHECKING:
    from rich.table import Table as RichTable

COLUMNS: Sequence[Column] = (
    ("EXECUTION", lambda row: row.execution),
    ("NODE", lambda row: row.node and f"{'  ' * row.depth}{row.node}"),
    ("RUNS", lambda row: row.runs),
    ("PHASE", lambda row: row.phase),
    ("DURATION", lambda row: duration_text(row.seconds)),
    ("WAITING FOR", lambda row: row.waiting_for),
)


@click.command()
@project_option
@domain_option
@click.option("-l", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Executions at most.")
@click.option(
    "--interval", type=click.FloatRange(min=0.2), default=1.0, show_default=True, help="Seconds between looks."
)
@click.option("--once", is_flag=True, help="Print one table and end, on a terminal too.")
@output_option
def command(project: str, domain: str, limit: int, interval: float, once: bool, output: str) -> None:
    """Show running executions and nodes: for how long, and what each waits for.

    On a terminal until Ctrl-C; one table where the output goes elsewhere.
    """
    with connected() as channel:
        reader = RunningReader(AdminServiceStub(channel), SignalServiceStub(channel))

        def look() -> list[Running]:
            return list(reader.look(project, domain, limit, now()))

        if output != "table":
            print_data([dataclasses.asdict(row) for row in look()], output)
        elif once or not sys.stdout.isatty():
            Table(COLUMNS).print(look())
        else:
            _live(look, f"{project} {domain}", interval)


def _live(look: Callable[[], list[Running]], title: str, interval: float) -> None:
    """Show the table again and again, until Ctrl-C."""
    from rich.live import Live

    patience = Patience()
    try:
        with Live(_table(patience.look(look), title), auto_refresh=False, screen=True) as live:
            while True:
                time.sleep(interval)
                live.update(_table(patience.look(look), title), refresh=True)
    except KeyboardInterrupt:
        return


def _table(rows: Sequence[Running], title: str) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    executions = sum(1 for row in rows if not row.node)
    table = RichTable(
        title=f"{title}: {executions} running at {now():%H:%M:%S} UTC", box=box.SIMPLE_HEAD, title_justify="left"
    )
    for heading, _ in COLUMNS:
        table.add_column(heading, no_wrap=heading != "WAITING FOR", overflow="ellipsis")
    for row in rows:
        style = "bold" if not row.node else ""
        cells = [Text(printable(show(row)), style=style) for _, show in COLUMNS]
        cells[3].stylize(COLORS.get(row.phase, "cyan"))
        table.add_row(*cells)
    return table
