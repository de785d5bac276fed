"""`flyte config`: the configuration file of clients, and which settings hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from flyte_cli.client.config_file_problems import problems_of
from flyte_cli.client.config_files import home_file, host_config, local_config, write_config
from flyte_cli.client.settings import file_in_use, said_settings
from flyte_cli.options.confirmation import confirm, yes_option
from flyte_cli.showing.output import Column, Table, output_option, print_data
from flyte_cli.up.settings import default_data_dir
from flyte_core.errors import ConfigError

SETTING_COLUMNS: tuple[Column, ...] = (
    ("SETTING", lambda row: row["setting"]),
    ("VALUE", lambda row: "" if row["value"] is None else _text(row["value"])),
    ("FROM", lambda row: row["from"]),
)
FILE_COLUMNS: tuple[Column, ...] = (
    ("FILE", lambda row: row["file"]),
    ("STATE", lambda row: row["state"]),
    ("NAMED BY", lambda row: row["named_by"]),
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@click.group()
def command() -> None:
    """Write and check the file that says where the control plane is."""


@command.command()
@click.option("--host", default="", help="Where the control plane is: flyte.example.com; this machine without it.")
@click.option("--console", default="", help="Address of the console, if it is elsewhere.")
@click.option("--insecure", is_flag=True, help="No TLS.")
@click.option("--file", type=click.Path(path_type=Path), help="File to write, in place of ~/.flyte/config.yaml.")
@yes_option
@output_option
def init(host: str, console: str, insecure: bool, file: Path | None, yes: bool, output: str) -> None:
    """Write ~/.flyte/config.yaml, which flytekit, pyflyte and flytectl read too.

    Without --host it is for the `flyte up` of this machine, with the keys of its object store.
    """
    if console and not host:
        raise click.UsageError("--console goes with --host")
    path = file or home_file()
    config = host_config(host, console=console, insecure=insecure) if host else local_config()
    if path.exists():
        confirm(f"Write over {path}?", yes=yes)
    write_config(path, config)
    endpoint = config["admin"]["endpoint"]
    if output == "table":
        click.echo(f"{path} is written, for {endpoint}; `flyte doctor` looks whether it answers")
    else:
        print_data({"file": str(path), "endpoint": endpoint}, output)
    if (named := os.environ.get("FLYTECTL_CONFIG")) and Path(named).absolute() != path.absolute():
        click.echo(f"flyte: FLYTECTL_CONFIG names {named}, which wins: unset it to use {path}", err=True)


@command.command()
@output_option
def show(output: str) -> None:
    """Show which settings hold, and which file or variable says so. Secrets are hidden."""
    rows = [{"setting": said.name, "value": said.value, "from": said.source} for said in said_settings(file_in_use())]
    if output == "table":
        Table(SETTING_COLUMNS).print(rows)
    else:
        print_data(rows, output)


@command.command()
@click.option("--file", type=click.Path(path_type=Path), help="File to check, in place of the one in use.")
@click.option("--strict", is_flag=True, help="Keys that nobody reads are wrong too.")
@output_option
def validate(file: Path | None, strict: bool, output: str) -> None:
    """Check a configuration file; all that is wrong is told at once. Exit code 1 when something is."""
    path = file or file_in_use()
    if path is None:
        raise ConfigError("there is no configuration file: `flyte config init` writes one")
    if not path.is_file():
        raise ConfigError(f"there is no file {path}")
    problems = problems_of(path)
    wrong = [problem for problem in problems if problem.grave or strict]
    if output != "table":
        rows = [{"key": each.key, "problem": each.text, "wrong": each in wrong} for each in problems]
        print_data({"file": str(path), "valid": not wrong, "problems": rows}, output)
    for each in problems:
        if output == "table" and each not in wrong:
            click.echo(f"{path}: {each.key}: {each.text}")
    if wrong:
        lines = (f"{each.key}: {each.text}" if each.key else each.text for each in wrong)
        raise ConfigError(f"{path}: " + "\n".join(lines))
    if output == "table":
        click.echo(f"{path} is valid")


@command.command()
@output_option
def discover(output: str) -> None:
    """List the files in which commands look for a configuration, first match wins, and tell which one is read."""
    rows: list[dict[str, str]] = []
    for path, named_by in _places():
        first = not any(row["state"] == "used" for row in rows)
        state = "missing" if not path.is_file() else "used" if first else "there"
        rows.append({"file": str(path), "state": state, "named_by": named_by})
    if output == "table":
        Table(FILE_COLUMNS).print(rows)
    else:
        print_data(rows, output)


def _places() -> Iterator[tuple[Path, str]]:
    if named := os.environ.get("FLYTECTL_CONFIG"):
        yield Path(named), "--config or FLYTECTL_CONFIG"
    yield Path("flytekit.config"), "flytekit"
    yield Path.home() / ".flyte" / "config", "flytekit"
    yield home_file(), "flytectl"
    yield default_data_dir() / "config.yaml", "flyte up"
