"""Where the control plane is and how to speak to it: from a file and the environment, as flytekit reads them."""

from __future__ import annotations

import enum
import importlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flyte_core.errors import ConfigError
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import configparser
    import pathlib
else:
    pathlib = deferred("pathlib")
    configparser = deferred("configparser")

_TRUE = {"1", "true", "yes", "y", "t", "on"}
_FALSE = {"0", "false", "no", "n", "f", "off", ""}
SANDBOX_ENDPOINT = "localhost:30080"
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


class AuthType(enum.Enum):
    """How a client proves who it is."""

    STANDARD = "standard"
    BASIC = "basic"
    CLIENT_CREDENTIALS = "client_credentials"
    EXTERNAL_PROCESS = "external_process"
    EXTERNALCOMMAND = "ExternalCommand"
    PKCE = "Pkce"
    CLIENTSECRET = "ClientSecret"
    DEVICEFLOW = "DeviceFlow"


@dataclass(frozen=True)
class PlatformConfig:
    """Address of the control plane.

    :ivar endpoint: ``host:port``
    :ivar insecure: plain HTTP/2, no TLS
    :ivar insecure_skip_verify: TLS without a check of the certificate
    :ivar ca_cert_file_path: PEM file of the authority to trust
    :ivar console_endpoint: where the console is, if elsewhere
    """

    endpoint: str = SANDBOX_ENDPOINT
    insecure: bool = False
    insecure_skip_verify: bool = False
    ca_cert_file_path: str | None = None
    console_endpoint: str | None = None
    command: list[str] | None = None
    client_id: str | None = None
    client_credentials_secret: str | None = None
    scopes: list[str] = field(default_factory=list)
    auth_mode: AuthType = AuthType.STANDARD
    audience: str | None = None


@dataclass(frozen=True)
class LocalConfig:
    """Local runs.

    :ivar cache_enabled: whether tasks with ``cache`` look into the local cache
    :ivar cache_overwrite: whether they only write to it
    """

    cache_enabled: bool = True
    cache_overwrite: bool = False

    @classmethod
    def auto(cls, config_file: object = None) -> LocalConfig:
        """Read ``FLYTE_LOCAL_CACHE_ENABLED`` and ``FLYTE_LOCAL_CACHE_OVERWRITE``."""
        return cls(
            cache_enabled=boolean("FLYTE_LOCAL_CACHE_ENABLED", os.environ.get("FLYTE_LOCAL_CACHE_ENABLED"), True),
            cache_overwrite=boolean(
                "FLYTE_LOCAL_CACHE_OVERWRITE", os.environ.get("FLYTE_LOCAL_CACHE_OVERWRITE"), False
            ),
        )


@dataclass(frozen=True)
class TaskConfig:
    """Default project and domain."""

    project: str = "flytesnacks"
    domain: str = "development"


@dataclass(frozen=True)
class Config:
    """All settings of a client."""

    platform: PlatformConfig = field(default_factory=PlatformConfig)
    local: LocalConfig = field(default_factory=LocalConfig)
    task: TaskConfig = field(default_factory=TaskConfig)

    @classmethod
    def auto(cls, config_file: str | os.PathLike[str] | None = None) -> Config:
        """Read the file and the environment; the environment wins.

        The file is ``config_file``, else that of ``FLYTECTL_CONFIG``, ``./flytekit.config``, ``~/.flyte/config`` or
        ``~/.flyte/config.yaml``, the first that is there. Without any file and address: a sandbox on this machine.

        :raises ConfigError: naming the file or variable that cannot be read
        """
        return _read(find_file(config_file), os.environ)

    @classmethod
    def for_sandbox(cls) -> Config:
        """Return the settings of a sandbox on this machine."""
        return cls(platform=PlatformConfig(endpoint=SANDBOX_ENDPOINT, insecure=True))

    @classmethod
    def for_endpoint(cls, endpoint: str, insecure: bool = False) -> Config:
        """Return the settings for one address."""
        return cls(platform=PlatformConfig(endpoint=_plain(endpoint), insecure=insecure))


def boolean(name: str, text: str | bool | None, default: bool) -> bool:
    """Read a yes or no.

    :raises ConfigError: naming the setting
    """
    if text is None:
        return default
    word = str(text).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ConfigError(f"{name} must be true or false, not {text!r}")


def find_file(given: str | os.PathLike[str] | None = None) -> pathlib.Path | None:
    """Return the configuration file: ``given``, else that of ``FLYTECTL_CONFIG``, else the first known one that is
    there.

    :raises ConfigError: if a file that somebody named is missing
    """
    named = given or os.environ.get("FLYTECTL_CONFIG")
    if named:
        path = pathlib.Path(named)
        if not path.is_file():
            raise ConfigError(f"the configuration file {path} does not exist")
        return path
    home = pathlib.Path.home() / ".flyte"
    return next(
        (p for p in (pathlib.Path("flytekit.config"), home / "config", home / "config.yaml") if p.is_file()), None
    )


def _read(file: pathlib.Path | None, environment: Mapping[str, str]) -> Config:
    admin = _admin_section(file)
    endpoint = environment.get("FLYTE_PLATFORM_URL") or admin.get("endpoint")
    if not endpoint and file is None:
        return Config(platform=Config.for_sandbox().platform, local=LocalConfig.auto(), task=_defaults(environment))
    platform = PlatformConfig(
        endpoint=_plain(str(endpoint or SANDBOX_ENDPOINT)),
        insecure=boolean(
            "FLYTE_PLATFORM_INSECURE",
            environment.get("FLYTE_PLATFORM_INSECURE", admin.get("insecure")),
            _is_plain(str(endpoint or "")),
        ),
        insecure_skip_verify=boolean(
            "FLYTE_PLATFORM_INSECURE_SKIP_VERIFY",
            environment.get("FLYTE_PLATFORM_INSECURE_SKIP_VERIFY", admin.get("insecureSkipVerify")),
            False,
        ),
        ca_cert_file_path=environment.get("FLYTE_PLATFORM_CA_CERT_FILE_PATH") or admin.get("caCertFilePath"),
        console_endpoint=environment.get("FLYTE_PLATFORM_CONSOLE_ENDPOINT") or admin.get("consoleEndpoint"),
        client_id=admin.get("clientId"),
    )
    return Config(platform=platform, local=LocalConfig.auto(), task=_defaults(environment))


def _defaults(environment: Mapping[str, str]) -> TaskConfig:
    return TaskConfig(
        project=environment.get("FLYTE_DEFAULT_PROJECT") or TaskConfig.project,
        domain=environment.get("FLYTE_DEFAULT_DOMAIN") or TaskConfig.domain,
    )


def _admin_section(file: pathlib.Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    if file.suffix in {".yaml", ".yml"}:
        return _yaml_admin(file)
    parser = configparser.ConfigParser()
    try:
        parser.read(file)
    except configparser.Error as error:
        raise ConfigError(f"{file} is no ini file: {error}") from error
    section = dict(parser["platform"]) if parser.has_section("platform") else {}
    return {**section, "endpoint": section.get("url")}


def _yaml_admin(file: pathlib.Path) -> dict[str, Any]:
    if importlib.util.find_spec("yaml") is None:
        raise ConfigError(f"reading {file} needs PyYAML: pip install pyyaml")
    yaml = importlib.import_module("yaml")
    try:
        document = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is no YAML file: {error}") from error
    admin = dict(document.get("admin") or {})
    console = document.get("console") or {}
    return {**admin, "consoleEndpoint": console.get("endpoint")}


def _is_plain(endpoint: str) -> bool:
    """Tell whether nobody means TLS where nothing is said of it: ``http://``, or this machine's own loopback."""
    return endpoint.startswith("http://") or _plain(endpoint).rpartition(":")[0] in _LOOPBACK


def _plain(endpoint: str) -> str:
    for scheme in ("dns:///", "https://", "http://"):
        endpoint = endpoint.removeprefix(scheme)
    return endpoint.rstrip("/")
