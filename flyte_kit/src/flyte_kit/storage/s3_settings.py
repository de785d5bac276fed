"""Where S3 is and who asks: ``FLYTE_AWS_*`` of the environment, then the configuration file, then ``AWS_*``."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flyte_core.builtin.s3_signing import Credentials
from flyte_core.errors import ConfigError
from flyte_kit.configuration.sources import Setting, Sources, find_file

if TYPE_CHECKING:
    import pathlib

DEFAULT_REGION = "us-east-1"
ENDPOINT = Setting("aws", "endpoint", "storage.connection.endpoint")
ACCESS_KEY = Setting("aws", "access_key_id", "storage.connection.access-key")
SECRET_KEY = Setting("aws", "secret_access_key", "storage.connection.secret-key")
REGION = Setting("aws", "region", "storage.connection.region")
ADDRESSING = Setting("aws", "addressing_style", "storage.connection.addressing-style")


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Address and keys of an S3 endpoint.

    :ivar endpoint: URL without bucket; empty for AWS itself
    :ivar credentials: None asks without a signature
    :ivar session_token: of temporary keys
    :ivar by_path: bucket in the path (``endpoint/bucket/key``), not in the host name
    """

    endpoint: str
    credentials: Credentials | None
    session_token: str
    region: str
    by_path: bool

    def address(self, bucket: str) -> tuple[str, str, str]:
        """Return scheme, host with port, and path prefix for a bucket."""
        if not self.endpoint:
            return "https", f"{bucket}.s3.{self.region}.amazonaws.com", ""
        parts = urlsplit(self.endpoint)
        if self.by_path:
            return parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{bucket}"
        return parts.scheme, f"{bucket}.{parts.netloc}", parts.path.rstrip("/")


def from_environment(
    environment: Mapping[str, str] = os.environ, *, keys_file: pathlib.Path | None = None
) -> S3Settings:
    """Read the settings.

    Address and keys belong together. Where ``FLYTE_AWS_*`` names neither, those of the configuration file's section
    ``storage.connection`` (``[aws]`` in an ini file) are taken, then ``AWS_*``. Without any keys boto3 is asked, where
    it is installed (roles of machines and pods, profiles).

    :param keys_file: the configuration file; the one that is found without it
    :raises ConfigError: if the endpoint is no URL, or the file cannot be read
    """

    def first(*names: str) -> str:
        return next((environment[name] for name in names if environment.get(name)), "")

    by_environment = bool(first(ENDPOINT.variable, ACCESS_KEY.variable))
    file = None if by_environment else keys_file or find_file()
    said = Sources(file, {name: value for name, value in environment.items() if value and name.startswith("FLYTE_")})
    endpoint, access, secret = (said.text(each) or "" for each in (ENDPOINT, ACCESS_KEY, SECRET_KEY))
    token = "" if access else first("AWS_SESSION_TOKEN")
    if not access:
        access, secret = first("AWS_ACCESS_KEY_ID"), first("AWS_SECRET_ACCESS_KEY")
    endpoint = endpoint or first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    region, style = said.text(REGION) or first("AWS_REGION", "AWS_DEFAULT_REGION"), said.text(ADDRESSING) or ""
    if endpoint and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise ConfigError(f"{ENDPOINT.variable} must be a URL such as http://127.0.0.1:9000, not {endpoint!r}")
    credentials = Credentials(access, secret) if access and secret else None
    if credentials is None:
        credentials, token = _keys_of_boto3()
    return S3Settings(
        endpoint=endpoint,
        credentials=credentials,
        session_token=token,
        region=region or DEFAULT_REGION,
        by_path=style.lower() != "virtual",
    )


def _keys_of_boto3() -> tuple[Credentials | None, str]:
    if importlib.util.find_spec("boto3") is None:
        return None, ""
    found = importlib.import_module("boto3").Session().get_credentials()
    if found is None:
        return None, ""
    keys = found.get_frozen_credentials()
    return Credentials(keys.access_key, keys.secret_key), keys.token or ""
