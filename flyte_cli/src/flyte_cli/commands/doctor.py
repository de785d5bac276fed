"""`flyte doctor`: what is wrong with this installation, and with the server that it talks to."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import click

from flyte_cli.up.settings import default_data_dir

NEEDED_BYTES = 1 << 30
NEEDED_SQLITE = (3, 37, 0)


@dataclass(frozen=True)
class Finding:
    """One check.

    :ivar fix: what to do when it is not good; empty when it is
    """

    name: str
    good: bool
    text: str
    fix: str = ""


@click.command()
def command() -> None:
    """Check Python, plugins, the data folder and the server. Exit code 1 when something is wrong."""
    bad = 0
    for finding in (*_machine(), *_plugins(), *_server()):
        mark = click.style("ok  ", fg="green") if finding.good else click.style("bad ", fg="red")
        click.echo(f"{mark} {finding.name}: {finding.text}")
        if not finding.good:
            bad += 1
            click.echo(f"     fix: {finding.fix}")
    raise SystemExit(1 if bad else 0)


def _machine() -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding(
        "Python", sys.version_info >= (3, 11), f"{version} at {sys.executable}", "install Python 3.11 or newer"
    )
    sqlite = sqlite3.sqlite_version_info
    yield Finding("SQLite", sqlite >= NEEDED_SQLITE, sqlite3.sqlite_version, "use a Python built with SQLite ≥ 3.37")
    linux = platform.system() == "Linux"
    yield Finding(
        "system", linux, platform.platform(), "the embedded cluster reads /proc: run it on Linux, or use Kubernetes"
    )
    folder = default_data_dir()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{folder} has {free / 2**30:.1f} GiB free"
    writable = os.access(existing, os.W_OK)
    yield Finding("data folder", free >= NEEDED_BYTES and writable, text, "choose another folder: flyte up --data DIR")


def _plugins() -> Iterator[Finding]:
    from flyte_core.errors import FlyteError
    from flyte_core.plugins import PluginManager

    manager = PluginManager.scan()
    for record in manager.plugins():
        for name in record.metadata.task_types[:1]:
            try:
                manager.task_type(name)
            except FlyteError:
                continue
        text = record.reason or f"{record.metadata.distribution} {record.metadata.version}"
        fix = f"pip install --upgrade {record.metadata.distribution}, or list it in FLYTE_PLUGINS_DISABLED"
        yield Finding(f"plugin {record.metadata.name}", not record.reason, text, fix)
    served = any("python-task" in record.metadata.task_types and not record.reason for record in manager.plugins())
    yield Finding("Python tasks", served, "served" if served else "not served", "pip install flyte-plugin-pod")


def _server() -> Iterator[Finding]:
    from flyteidl.admin.version_pb2 import GetVersionRequest

    from flyte_cli.connection import admin, find_endpoint
    from flyte_core.errors import FlyteError

    try:
        endpoint = find_endpoint()
        with admin(endpoint) as stub:
            version = stub.GetVersion(GetVersionRequest(), timeout=5).control_plane_version.Version
        yield Finding("server", True, f"{endpoint.target} answers, version {version} (from {endpoint.source})")
    except FlyteError as error:
        yield Finding("server", False, str(error), "start one with `flyte up`, or set FLYTECTL_CONFIG")
