"""Settings of the plugin: the section ``plugins.s3``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from flyte_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class S3Config:
    """How to reach S3, or what speaks its protocol.

    What is left empty boto3 looks for where it always does: environment, profile, instance role.

    :ivar endpoint: URL of the service; empty for AWS
    :ivar signing_endpoint: URL by which clients reach the service, where it is another one; signed URLs name it
    :ivar prefixes: URIs that may be used (``s3://bucket`` or ``s3://bucket/folder``); none given means all
    :ivar attempts: how often a request is tried in all, with growing pauses
    :ivar connect_timeout: seconds
    :ivar read_timeout: seconds without a byte
    :ivar connections: at most, and so many requests at once
    """

    endpoint: str = ""
    signing_endpoint: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    prefixes: tuple[str, ...] = ()
    attempts: int = 4
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    connections: int = 16

    def __repr__(self) -> str:
        return f"S3Config(endpoint={self.endpoint!r}, region={self.region!r}, access_key_id={self.access_key_id!r})"

    @classmethod
    def parse(cls, section: Mapping[str, Any]) -> S3Config:
        """Check a section of the configuration.

        :raises ConfigError: naming the setting that is unknown or has a wrong value
        """
        known = {field.name: field.default for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in section.items():
            if name not in known:
                raise ConfigError(f"plugins.s3.{name} is unknown; there are {', '.join(known)}")
            values[name] = _prefixes(value) if name == "prefixes" else _checked(name, value, known[name])
        config = cls(**values)
        if bool(config.access_key_id) != bool(config.secret_access_key):
            raise ConfigError("plugins.s3.access_key_id and plugins.s3.secret_access_key go together: set both or none")
        return config


def _checked(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, str):
        if not isinstance(value, str):
            raise ConfigError(f"plugins.s3.{name} must be a text, not {type(value).__name__}")
        if name.endswith("endpoint") and value and not value.startswith(("http://", "https://")):
            raise ConfigError(f"plugins.s3.{name} must be a URL such as http://127.0.0.1:9000, not {value!r}")
        return value
    kinds = (int, float) if isinstance(default, float) else (int,)
    if isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
        raise ConfigError(f"plugins.s3.{name} must be a number above 0, not {value!r}")
    return value


def _prefixes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(
        isinstance(prefix, str) and prefix.startswith("s3://") and len(prefix) > len("s3://") for prefix in value
    ):
        raise ConfigError(f"plugins.s3.prefixes must be a list of URIs such as s3://bucket, not {value!r}")
    return tuple(prefix.rstrip("/") for prefix in value)
