"""What ``flyte up`` can be told, and where it keeps things."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flyte_admin.notifications.smtp import SmtpSettings
from flyte_core.errors import ConfigError

BUCKET = "flyte"
"""The container of all native URLs: ``s3://flyte/…``."""

DEFAULT_PROJECTS = ("flytesnacks",)
"""Made by every ``flyte up``."""


def default_data_dir() -> Path:
    """Return where data lives without ``--data``: ``$FLYTE_DATA``, else the user's data folder (XDG)."""
    if given := os.environ.get("FLYTE_DATA"):
        return Path(given)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "flyte"


@dataclass(frozen=True, slots=True)
class ImageRule:
    """Maps image names to a Python environment.

    :ivar pattern: glob over the image name (``cr.flyte.org/*``)
    :ivar python: the environment's interpreter
    """

    pattern: str
    python: Path

    @classmethod
    def parse(cls, text: str) -> ImageRule:
        """Read ``PATTERN=PYTHON``; PYTHON is an interpreter or the folder of an environment.

        :raises flyte_core.errors.ConfigError: if it is neither
        """
        pattern, separator, where = text.partition("=")
        if not (separator and pattern and where):
            raise ConfigError(f"--image {text!r}: give PATTERN=PYTHON, for example 'cr.flyte.org/*=/opt/envs/train'")
        try:
            return cls.make(pattern, where)
        except ConfigError as error:
            raise ConfigError(f"--image {text!r}: {error}") from None

    @classmethod
    def make(cls, pattern: str, where: str) -> ImageRule:
        """Return the rule that maps to an interpreter, or to the one in the folder of an environment.

        :raises flyte_core.errors.ConfigError: if there is none
        """
        path = Path(where).expanduser().absolute()
        if not path.exists():
            raise ConfigError(f"{path} does not exist; give a Python interpreter or the folder of an environment")
        python = path / "bin" / "python" if path.is_dir() else path
        if not (python.is_file() and os.access(python, os.X_OK)):
            problem = "is not a program" if python.exists() else "does not exist"
            raise ConfigError(f"{python} {problem}; give a Python interpreter or the folder of an environment")
        return cls(pattern, python)


def check_loopback(host: str, setting: str) -> None:
    """Refuse an address that is reachable from elsewhere: nothing here asks who calls.

    :param setting: where it comes from, for messages
    :raises flyte_core.errors.ConfigError: if it is one, or no address
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise ConfigError(f"{setting} {host!r} is not an address: {error}") from None
    if not loopback:
        raise ConfigError(f"{setting} {host}: without authentication only loopback addresses are served; use 127.0.0.1")


@dataclass(frozen=True, slots=True)
class UpSettings:
    """Settings of one ``flyte up``.

    :ivar data_dir: folder for everything that is kept
    :ivar host: loopback address to listen on
    :ivar port: gRPC, for flytekit, pyflyte and flytectl
    :ivar http_port: REST, and logs of tasks
    :ivar s3_port: the object store's S3 endpoint
    :ivar images: first match wins; an image that matches none runs in the environment of this process
    :ivar projects: made at start where they are missing
    :ivar mail: server through which notifications are sent; without one they go to ``notifications.jsonl``
    :ivar config_file: file that some of these come from, for messages
    :ivar plugins: plugin name → its section, over what ``flyte up`` sets itself (the pod plugin's links to logs);
        ``disabled``, ``task_types`` and ``storage`` choose among plugins
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8089
    http_port: int = 8088
    s3_port: int = 8087
    images: Sequence[ImageRule] = ()
    projects: Sequence[str] = DEFAULT_PROJECTS
    mail: SmtpSettings | None = None
    plugins: Mapping[str, Any] = field(default_factory=dict)
    config_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse an address that is reachable from elsewhere."""
        check_loopback(self.host, "--host")

    @property
    def admin_database(self) -> Path:
        """The control plane's SQLite file."""
        return self.data_dir / "admin.db"

    @property
    def cluster_dir(self) -> Path:
        """The embedded cluster's folder: its objects, attempts and logs."""
        return self.data_dir / "cluster"

    @property
    def secrets_dir(self) -> Path:
        """Secrets for tasks, by group and key: ``secrets/<group>/<key>``."""
        return self.data_dir / "secrets"

    @property
    def objects_dir(self) -> Path:
        """The object store's folder: one folder a bucket."""
        return self.data_dir / "objects"

    @property
    def credentials_file(self) -> Path:
        """Keys of the object store, readable by this user only."""
        return self.data_dir / "credentials.json"

    @property
    def notifications_file(self) -> Path:
        """Notifications, where there is no mail server: one JSON object a line."""
        return self.data_dir / "notifications.jsonl"

    @property
    def client_config(self) -> Path:
        """The configuration for stock clients."""
        return self.data_dir / "config.yaml"

    def http_url(self) -> str:
        """Return the base URL of REST and log pages."""
        return f"http://{self.address(self.http_port)}"

    def s3_url(self) -> str:
        """Return the base URL of the S3 endpoint."""
        return f"http://{self.address(self.s3_port)}"

    def grpc_target(self) -> str:
        """Return the gRPC endpoint as clients write it."""
        return self.address(self.port)

    def address(self, port: int) -> str:
        """Return ``host:port``, with brackets around IPv6."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"
