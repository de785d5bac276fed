"""The data folder of ``flyte up``: private, with credentials made at first start."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict
from pathlib import Path

import yaml

from flyte_cli.up.settings import BUCKET, UpSettings
from flyte_core.builtin.s3_signing import Credentials
from flyte_core.errors import ConfigError


def prepare(settings: UpSettings) -> Credentials:
    """Create the folder (0700) and its credentials, or read them.

    :raises flyte_core.errors.ConfigError: if the folder cannot be used
    """
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise ConfigError(f"data folder {folder} belongs to another user; choose one of yours with --data")
        folder.chmod(0o700)
        if not settings.credentials_file.exists():
            made = Credentials("flyte-" + secrets.token_hex(8), secrets.token_urlsafe(32))
            write_private(settings.credentials_file, json.dumps(asdict(made)))
    except OSError as error:
        raise ConfigError(f"data folder {folder} cannot be used: {error}; choose another with --data") from error
    return read_credentials(settings.credentials_file)


def read_credentials(path: Path) -> Credentials:
    """Read the keys of the object store.

    :raises flyte_core.errors.ConfigError: if they cannot be read
    """
    try:
        return Credentials(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; without that file the next start makes new keys") from error


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole, or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def write_client_config(settings: UpSettings, credentials: Credentials) -> None:
    """Write what flytekit, pyflyte and flytectl need to reach this server and its object store."""
    config = {
        "admin": {"endpoint": f"dns:///{settings.grpc_target()}", "insecure": True, "authType": "Pkce"},
        "console": {"endpoint": settings.http_url(), "insecure": True},
        "storage": {
            "type": "stow",
            "container": BUCKET,
            "connection": {
                "endpoint": settings.s3_url(),
                "access-key": credentials.access_key,
                "secret-key": credentials.secret_key,
                "auth-type": "accesskey",
                "region": "us-east-1",
            },
        },
    }
    write_private(settings.client_config, yaml.safe_dump(config, sort_keys=False))
