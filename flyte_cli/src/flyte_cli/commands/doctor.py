"""`flyte doctor`: what is wrong with this installation, and with the server that it talks to."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flyte_cli.up.settings import default_data_dir

if TYPE_CHECKING:
    from flyte_core.plugins import PluginManager, PluginRecord

NEEDED_BYTES = 1 << 30
NEEDED_SQLITE = (3, 37, 0)


@dataclass(frozen=True)
class Finding:
    """One check.

    :ivar fix: what to do when it is not good; empty when it is
    :ivar wanted: whether somebody has chosen that it is not good
    """

    name: str
    good: bool
    text: str
    fix: str = ""
    wanted: bool = False

    def is_bad(self) -> bool:
        """Tell whether something is wrong."""
        return not self.good and not self.wanted

    def print(self) -> None:
        """Print it, and the fix if there is one to do."""
        mark = click.style("ok  ", fg="green")
        if not self.good:
            mark = click.style("off ", fg="yellow") if self.wanted else click.style("bad ", fg="red")
        click.echo(f"{mark} {self.name}: {self.text}")
        if not self.good:
            click.echo(f"     fix: {self.fix}")


@click.command()
def command() -> None:
    """Check Python, plugins, the data folder and the server. Exit code 1 when something is wrong."""
    folder = _data_folder()
    bad = 0
    for finding in (*_machine(folder), *_plugins(folder), *_server()):
        finding.print()
        bad += finding.is_bad()
    raise SystemExit(1 if bad else 0)


def _data_folder() -> Path:
    """Return the folder of the server that commands talk to where it is one of this machine, else the default one."""
    from flyte_cli.client.connection import find_endpoint
    from flyte_core.errors import FlyteError

    try:
        source = Path(find_endpoint().source)
    except FlyteError:
        return default_data_dir()
    return source.parent if (source.parent / "credentials.json").is_file() else default_data_dir()


def _machine(folder: Path) -> Iterator[Finding]:
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
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{folder} has {free / 2**30:.1f} GiB free"
    fix = "make room there, or choose another folder: flyte up --data DIR"
    if not os.access(existing, os.W_OK):
        text, fix = f"{folder} cannot be written to", "choose another folder: flyte up --data DIR"
    yield Finding("data folder", free >= NEEDED_BYTES and os.access(existing, os.W_OK), text, fix)


def _plugins(folder: Path) -> Iterator[Finding]:
    from flyte_cli.plugin_loading import load
    from flyte_cli.up.config_file import FILE_NAME, read_config
    from flyte_core.errors import ConfigError
    from flyte_core.plugins import PluginManager

    file = folder / FILE_NAME
    config: Mapping[str, Any] = {}
    if file.exists():
        try:
            config = read_config(file).get("plugins", {})
            manager = PluginManager.scan(config)
        except ConfigError as error:
            yield Finding("configuration", False, str(error), f"correct {file}")
            return
        yield Finding("configuration", True, str(file))
    else:
        manager = PluginManager.scan()
    for record in manager.plugins():
        problem = load(manager, record) or record.reason
        yield _finding(record, problem, file)
    yield _python_tasks(manager, file)


def _finding(record: PluginRecord, problem: str, file: Path) -> Finding:
    """Return what became of one plugin, and the fix for that."""
    from flyte_core.plugins import PluginStatus

    plugin = record.metadata
    match record.status:
        case PluginStatus.DISABLED:
            fix = f"to use it, {_switch_on(plugin.name, file)}"
        case PluginStatus.REFUSED:
            fix = f"install a version of {plugin.distribution} that fits, or pip uninstall {plugin.distribution}"
        case _:
            fix = f"pip install --upgrade {plugin.distribution}, or switch it off: FLYTE_PLUGINS_DISABLED={plugin.name}"
            if "ConfigError" in problem:
                fix = f"correct plugins.{plugin.name} in {file}"
    text = problem or f"{plugin.distribution} {plugin.version}"
    return Finding(f"plugin {plugin.name}", not problem, text, fix, record.status is PluginStatus.DISABLED)


def _switch_on(name: str, file: Path) -> str:
    from flyte_core.plugins import DISABLED_VARIABLE

    listed = [each.strip() for each in os.environ.get(DISABLED_VARIABLE, "").split(",")]
    for each in (name, "*"):
        if each in listed:
            return f"take {each} out of {DISABLED_VARIABLE}"
    return f"take it out of plugins.disabled in {file}"


def _python_tasks(manager: PluginManager, file: Path) -> Finding:
    claiming = [record for record in manager.plugins() if "python-task" in record.metadata.task_types]
    served = any(not record.reason for record in claiming)
    fix = _finding(claiming[0], claiming[0].reason, file).fix if claiming else "pip install flyte-plugin-pod"
    return Finding("Python tasks", served, "served" if served else "not served", fix)


def _server() -> Iterator[Finding]:
    from flyteidl.admin.version_pb2 import GetVersionRequest

    from flyte_cli.client.connection import admin, find_endpoint
    from flyte_core.errors import FlyteError

    try:
        endpoint = find_endpoint()
        with admin(endpoint) as stub:
            version = stub.GetVersion(GetVersionRequest(), timeout=5).control_plane_version.Version
        yield Finding("server", True, f"{endpoint.target} answers, version {version} (from {endpoint.source})")
    except FlyteError as error:
        yield Finding("server", False, str(error), "start one with `flyte up`, or set FLYTECTL_CONFIG")
