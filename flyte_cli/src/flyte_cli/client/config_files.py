"""Writes the configuration file of clients, as flytectl does: ``~/.flyte/config.yaml``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from flyte_cli.up.data_folder import write_private
from flyte_cli.up.settings import default_data_dir
from flyte_core.errors import InvalidInput

LOCAL_ENDPOINT = "127.0.0.1:8089"
_SCHEME = re.compile(r"(dns:///|https?://)?(?P<host>[^\s/]+)/?")


def home_file() -> Path:
    """Return the place where every client looks."""
    return Path.home() / ".flyte" / "config.yaml"


def local_config() -> dict[str, Any]:
    """Return the configuration for the ``flyte up`` of this machine: as it wrote it, else for its default address."""
    written = default_data_dir() / "config.yaml"
    if written.is_file():
        found: dict[str, Any] = yaml.safe_load(written.read_text())
        return found
    return host_config(LOCAL_ENDPOINT, console="", insecure=True)


def host_config(host: str, *, console: str, insecure: bool) -> dict[str, Any]:
    """Return the configuration for a server.

    :param host: ``host``, ``host:port`` or its URL; ``http://`` means no TLS
    :param console: URL of the console, if it is elsewhere
    :raises flyte_core.errors.InvalidInput: if the host is no address
    """
    found = _SCHEME.fullmatch(host.strip())
    if found is None:
        raise InvalidInput(f"{host!r} is no host: write for example flyte.example.com or 127.0.0.1:8089", field="host")
    insecure = insecure or host.strip().startswith("http://")
    config: dict[str, Any] = {
        "admin": {"endpoint": f"dns:///{found['host']}", "authType": "Pkce", "insecure": insecure}
    }
    if console:
        scheme = "" if "://" in console else ("http://" if insecure else "https://")
        config["console"] = {"endpoint": f"{scheme}{console.rstrip('/')}"}
    config["logger"] = {"show-source": True, "level": 0}
    return config


def write_config(path: Path, config: dict[str, Any]) -> None:
    """Write a file that only this user can read: it may hold keys of the store."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, yaml.safe_dump(config, sort_keys=False))
