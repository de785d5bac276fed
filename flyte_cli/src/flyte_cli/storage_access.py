"""Gives this process the keys of the object store that the client's configuration file holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from flyte_cli.connection import Endpoint
from flyte_core.errors import ConfigError

_VARIABLES = {
    "endpoint": "FLYTE_AWS_ENDPOINT",
    "access-key": "FLYTE_AWS_ACCESS_KEY_ID",
    "secret-key": "FLYTE_AWS_SECRET_ACCESS_KEY",
    "region": "FLYTE_AWS_REGION",
}


def use_storage_of(endpoint: Endpoint) -> None:
    """Put ``storage.connection`` of the file into the environment, where the SDK looks; what is set there stays.

    Keys belong together: none is taken when the environment has an access key of its own.

    :raises flyte_core.errors.ConfigError: if the file cannot be read
    """
    file = Path(endpoint.source)
    if file.suffix not in (".yaml", ".yml") or not file.is_file() or os.environ.get("FLYTE_AWS_ACCESS_KEY_ID"):
        return
    try:
        document: Any = yaml.safe_load(file.read_text()) or {}
        connection = (document.get("storage") or {}).get("connection") or {}
        given = {variable: connection.get(key) for key, variable in _VARIABLES.items()}
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise ConfigError(f"{file}: storage.connection cannot be read: {type(error).__name__}") from error
    for variable, value in given.items():
        if value:
            os.environ.setdefault(variable, str(value))
