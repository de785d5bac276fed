"""What ``flyte up`` can be told, and where it keeps things."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flyte_core.errors import ConfigError

BUCKET = "flyte"
"""The container of all native URLs: ``s3://flyte/…``."""


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
        path = Path(where).expanduser()
        if separator and pattern and path.is_dir():
            path = path / "bin" / "python"
        if not (separator and pattern and path.is_file()):
            raise ConfigError(f"--image {text!r}: give PATTERN=PYTHON, for example 'cr.flyte.org/*=/opt/envs/train'")
        return cls(pattern, path.absolute())


@dataclass(frozen=True, slots=True)
class UpSettings:
    """Settings of one ``flyte up``.

    :ivar host: loopback address to listen on
    :ivar port: gRPC, for flytekit, pyflyte and flytectl
    :ivar http_port: REST, and logs of tasks
    :ivar s3_port: the object store's S3 endpoint
    :ivar images: first match wins; an image that matches none runs in the environment of this process
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8089
    http_port: int = 8088
    s3_port: int = 8087
    images: Sequence[ImageRule] = ()
    projects: Sequence[str] = ("flytesnacks",)

    def __post_init__(self) -> None:
        """Refuse an address that is reachable from elsewhere: nothing here asks who calls."""
        try:
            loopback = self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError as error:
            raise ConfigError(f"--host {self.host!r} is not an address: {error}") from None
        if not loopback:
            raise ConfigError(
                f"--host {self.host}: without authentication only loopback addresses are served; use 127.0.0.1"
            )

    @property
    def admin_database(self) -> Path:
        """The control plane's SQLite file."""
        return self.data_dir / "admin.db"

    @property
    def cluster_dir(self) -> Path:
        """The embedded cluster's folder: its objects, attempts and logs."""
        return self.data_dir / "cluster"

    @property
    def objects_dir(self) -> Path:
        """The object store's folder: one folder a bucket."""
        return self.data_dir / "objects"

    @property
    def credentials_file(self) -> Path:
        """Keys of the object store, readable by this user only."""
        return self.data_dir / "credentials.json"

    @property
    def client_config(self) -> Path:
        """The configuration for stock clients."""
        return self.data_dir / "config.yaml"

    def http_url(self) -> str:
        """Return the base URL of REST and log pages."""
        return f"http://{self.host}:{self.http_port}"

    def s3_url(self) -> str:
        """Return the base URL of the S3 endpoint."""
        return f"http://{self.host}:{self.s3_port}"

    def grpc_target(self) -> str:
        """Return the gRPC endpoint as clients write it."""
        return f"{self.host}:{self.port}"
