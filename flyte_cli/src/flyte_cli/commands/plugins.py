"""`flyte plugins`: which plugins are installed, and why one is or is not used."""

from __future__ import annotations

from collections.abc import Sequence

import click

from flyte_cli.showing.output import Column, Table, output_option, print_data

COLUMNS: Sequence[Column] = (
    ("NAME", lambda row: row["name"]),
    ("PACKAGE", lambda row: f"{row['distribution']} {row['version']}"),
    ("STATUS", lambda row: row["status"]),
    ("SERVES", lambda row: ", ".join(row["serves"])),
    ("REASON", lambda row: row["reason"]),
)


@click.group()
def command() -> None:
    """List plugins and explain them."""


@command.command(name="list")
@click.option("--load", is_flag=True, help="Import each plugin too, to find those that break.")
@output_option
def list_plugins(load: bool, output: str) -> None:
    """List what is installed. Nothing is imported, unless --load asks for it."""
    from flyte_cli.plugin_loading import load as load_plugin
    from flyte_core.plugins import PluginManager

    manager = PluginManager.scan()
    problems = [load_plugin(manager, record) for record in manager.plugins()] if load else []
    for problem in filter(None, problems):
        click.echo(f"flyte: {problem}", err=True)
    rows = [
        {
            "name": record.metadata.name,
            "distribution": record.metadata.distribution,
            "version": record.metadata.version,
            "status": record.status.value,
            "serves": [
                *record.metadata.task_types,
                *(f"{scheme}://" for scheme in record.metadata.schemes),
                *record.metadata.event_sinks,
            ],
            "reason": record.reason,
        }
        for record in manager.plugins()
    ]
    if output == "table":
        Table(COLUMNS).print(rows)
    else:
        print_data(rows, output)


@command.command()
@click.argument("name")
def why(name: str) -> None:
    """Say why the task type or plugin NAME is, or is not, served. Exit code 1 when it is not."""
    from flyte_cli.plugin_loading import load as load_plugin
    from flyte_cli.plugin_loading import silent
    from flyte_core.errors import FlyteError
    from flyte_core.plugins import PluginManager

    manager = PluginManager.scan()
    named = [record for record in manager.plugins() if record.metadata.name == name]
    if named:
        served = not load_plugin(manager, named[0]) and not named[0].reason
    else:
        try:
            with silent():
                manager.task_type(name)
            served = True
        except FlyteError:
            served = False
    click.echo(manager.why(name))
    raise SystemExit(0 if served else 1)
