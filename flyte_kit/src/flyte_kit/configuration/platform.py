"""Where the control plane is and how to speak to it: from a file and the environment, as flytekit reads them."""

from __future__ import annotations

import enum
import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flyte_core.errors import ConfigError
from flyte_kit.configuration.sources import Setting, Sources, find_file
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import pathlib
else:
    pathlib = deferred("pathlib")

ENDPOINT = Setting("platform", "url", "admin.endpoint")
INSECURE = Setting("platform", "insecure", "admin.insecure")
INSECURE_SKIP_VERIFY = Setting("platform", "insecure_skip_verify", "admin.insecureSkipVerify")
CA_CERT_FILE_PATH = Setting("platform", "ca_cert_file_path", "admin.caCertFilePath")
HTTP_PROXY_URL = Setting("platform", "http_proxy_url", "admin.httpProxyURL")
CONSOLE_ENDPOINT = Setting("platform", "console_endpoint", "console.endpoint")
COMMAND = Setting("credentials", "command", "admin.command")
PROXY_COMMAND = Setting("credentials", "proxy_command", "admin.proxyCommand")
CLIENT_ID = Setting("credentials", "client_id", "admin.clientId")
CLIENT_SECRET = Setting("credentials", "client_secret", None)
CLIENT_SECRET_LOCATION = Setting("credentials", "client_secret_location", "admin.clientSecretLocation")
CLIENT_SECRET_ENV_VAR = Setting("credentials", "client_secret_env_var", "admin.clientSecretEnvVar")
SCOPES = Setting("credentials", "scopes", "admin.scopes")
AUTH_MODE = Setting("credentials", "auth_mode", "admin.authType")
AUDIENCE = Setting("credentials", "audience", "admin.audience")
PROJECT = Setting("local", "project", "task.project")
DOMAIN = Setting("local", "domain", "task.domain")
CACHE_ENABLED = Setting("local", "cache_enabled", "local.cache_enabled")
CACHE_OVERWRITE = Setting("local", "cache_overwrite", "local.cache_overwrite")
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
    :ivar http_proxy_url: of a proxy that gRPC goes through
    :ivar command: prints a token, with :attr:`AuthType.EXTERNALCOMMAND`
    :ivar proxy_command: prints a token for a proxy in between
    :ivar client_credentials_secret: of the client, with :attr:`AuthType.CLIENTSECRET`
    :ivar scopes: that are asked for; those that the control plane names without any
    """

    endpoint: str = SANDBOX_ENDPOINT
    insecure: bool = False
    insecure_skip_verify: bool = False
    ca_cert_file_path: str | None = None
    console_endpoint: str | None = None
    http_proxy_url: str | None = None
    command: list[str] | None = None
    proxy_command: list[str] | None = None
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
    def auto(cls, config_file: str | os.PathLike[str] | None = None) -> LocalConfig:
        """Read ``FLYTE_LOCAL_CACHE_ENABLED`` and ``FLYTE_LOCAL_CACHE_OVERWRITE``, and a file if one is given."""
        return cls.of(Sources(find_file(config_file) if config_file else None, os.environ))

    @classmethod
    def of(cls, sources: Sources) -> LocalConfig:
        """Read file and environment."""
        return cls(sources.truth(CACHE_ENABLED, True), sources.truth(CACHE_OVERWRITE, False))


@dataclass(frozen=True)
class TaskConfig:
    """Default project and domain."""

    project: str = "flytesnacks"
    domain: str = "development"


@dataclass(frozen=True)
class Config:
    """All settings of a client.

    :ivar file: that was read; its section ``storage.connection`` holds the keys of the object store
    """

    platform: PlatformConfig = field(default_factory=PlatformConfig)
    local: LocalConfig = field(default_factory=LocalConfig)
    task: TaskConfig = field(default_factory=TaskConfig)
    file: pathlib.Path | None = None

    @classmethod
    def auto(cls, config_file: str | os.PathLike[str] | None = None) -> Config:
        """Read the file and the environment; the environment wins.

        The file is ``config_file``, else that of ``FLYTECTL_CONFIG``, ``./flytekit.config``, ``~/.flyte/config`` or
        ``~/.flyte/config.yaml``, the first that is there. Without any file and address: a sandbox on this machine.

        :raises ConfigError: naming the file or variable that cannot be read
        """
        return _read(Sources(find_file(config_file), os.environ))

    @classmethod
    def for_sandbox(cls) -> Config:
        """Return the settings of a sandbox on this machine."""
        return cls(platform=PlatformConfig(endpoint=SANDBOX_ENDPOINT, insecure=True))

    @classmethod
    def for_endpoint(cls, endpoint: str, insecure: bool = False) -> Config:
        """Return the settings for one address."""
        return cls(platform=PlatformConfig(endpoint=_plain(endpoint), insecure=insecure))


def _read(sources: Sources) -> Config:
    endpoint = sources.text(ENDPOINT)
    if not endpoint and sources.file is None:
        platform = Config.for_sandbox().platform
    else:
        platform = PlatformConfig(
            endpoint=_plain(endpoint or SANDBOX_ENDPOINT),
            insecure=sources.truth(INSECURE, _is_plain(endpoint or "")),
            insecure_skip_verify=sources.truth(INSECURE_SKIP_VERIFY, False),
            ca_cert_file_path=sources.text(CA_CERT_FILE_PATH),
            http_proxy_url=sources.text(HTTP_PROXY_URL),
            console_endpoint=sources.text(CONSOLE_ENDPOINT),
            command=_command(sources, COMMAND),
            proxy_command=_command(sources, PROXY_COMMAND),
            client_id=sources.text(CLIENT_ID),
            client_credentials_secret=_secret(sources),
            scopes=sources.words(SCOPES),
            auth_mode=_auth_type(sources),
            audience=sources.text(AUDIENCE),
        )
    return Config(platform=platform, local=LocalConfig.of(sources), task=_defaults(sources), file=sources.file)


def _command(sources: Sources, setting: Setting) -> list[str] | None:
    found = sources.value(setting)
    return [str(word) for word in found] if isinstance(found, list) else shlex.split(found) if found else None


def _secret(sources: Sources) -> str | None:
    """Return the client's secret: itself, of a variable, or of a file."""
    variable, location = sources.text(CLIENT_SECRET_ENV_VAR), sources.text(CLIENT_SECRET_LOCATION)
    if variable and variable not in os.environ:
        raise ConfigError(f"{CLIENT_SECRET_ENV_VAR.key} names the variable {variable}, which is not set")
    if variable:
        return os.environ[variable].strip()
    if location and not os.path.isfile(location):
        raise ConfigError(f"{CLIENT_SECRET_LOCATION.key} names the file {location}, which is not there")
    if location:
        return pathlib.Path(location).read_text().strip()
    return sources.text(CLIENT_SECRET)


def _auth_type(sources: Sources) -> AuthType:
    text = sources.text(AUTH_MODE)
    if text is None:
        return AuthType.STANDARD
    for kind in AuthType:
        if kind.value.lower() == text.lower():
            return kind
    known = ", ".join(kind.value for kind in AuthType)
    raise ConfigError(f"{AUTH_MODE.key}: there is no way to log in named {text!r}; there are {known}")


def _defaults(sources: Sources) -> TaskConfig:
    return TaskConfig(
        project=os.environ.get("FLYTE_DEFAULT_PROJECT") or sources.text(PROJECT) or TaskConfig.project,
        domain=os.environ.get("FLYTE_DEFAULT_DOMAIN") or sources.text(DOMAIN) or TaskConfig.domain,
    )


def _is_plain(endpoint: str) -> bool:
    """Tell whether nobody means TLS where nothing is said of it: ``http://``, or this machine's own loopback."""
    return endpoint.startswith("http://") or is_loopback(_plain(endpoint))


def is_loopback(address: str) -> bool:
    """Tell whether ``host:port`` is on this machine only."""
    return address.rpartition(":")[0] in _LOOPBACK


def _plain(endpoint: str) -> str:
    for scheme in ("dns:///", "https://", "http://"):
        endpoint = endpoint.removeprefix(scheme)
    return endpoint.rstrip("/")
