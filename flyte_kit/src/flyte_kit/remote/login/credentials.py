"""The login that a configuration asks for, and its token with every call."""

from __future__ import annotations

import threading
from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import grpc

from flyte_kit.configuration.platform import AuthType, PlatformConfig
from flyte_kit.deferred import deferred
from flyte_kit.remote.login.tokens import FileKeeper, NoKeeper, Token, TokenKeeper

if TYPE_CHECKING:
    from flyte_kit.remote.login import browser, servers, ways
else:  # most control planes never ask
    browser = deferred("flyte_kit.remote.login.browser")
    servers = deferred("flyte_kit.remote.login.servers")
    ways = deferred("flyte_kit.remote.login.ways")

Metadata = Sequence[tuple[str, str]]
PROXY_HEADER = "proxy-authorization"


class Credentials(Protocol):
    """Port of logins: what goes with every call."""

    def metadata(self) -> Metadata:
        """Return header names and values."""
        ...

    def renew(self) -> bool:
        """Log in again after a refusal; return whether a further attempt makes sense."""
        ...


class NoCredentials:
    """Calls without a login."""

    def metadata(self) -> Metadata:
        """Return nothing."""
        return ()

    def renew(self) -> bool:
        """Do nothing."""
        return False


class Login:
    """Logs in when the control plane first asks, and again when a token has come to its end.

    :param find: asks the control plane where to log in
    :param way: makes the way to log in; an error in the settings appears only when somebody asks
    """

    def __init__(
        self,
        find: Callable[[], servers.LoginServer],
        way: Callable[[], ways.Way],
        keeper: TokenKeeper,
        proxy: ways.ExternalCommand | None = None,
    ) -> None:
        self._find, self._way, self._keeper, self._proxy = find, way, keeper, proxy
        self._token: Token | None = None
        self._proxy_token = ""
        self._loaded = False

    def metadata(self) -> Metadata:
        """Return the token, if there is one that is still good, and that of a proxy."""
        if not self._loaded:
            self._token, self._loaded = self._keeper.load(), True
        own = () if self._token is None else self._token.metadata
        if self._proxy is None:
            return own
        self._proxy_token = self._proxy_token or self._proxy.printed()
        return (*own, (PROXY_HEADER, f"Bearer {self._proxy_token}"))

    def renew(self) -> bool:
        """Get another token.

        :raises FlyteAuthenticationException: if there is none to be had
        """
        self._proxy_token = ""
        server, way = self._find(), self._way()
        another = ways.refreshed(server, self._token) if self._token is not None else None
        self._token = another or way.token(server)
        if way.by_hand:
            self._keeper.save(self._token)
        return True


def login_of(platform: PlatformConfig, channel: grpc.Channel) -> Credentials:
    """Return the login that settings ask for.

    :param channel: to the control plane, without logins
    """
    kinds: dict[AuthType, Callable[[], ways.Way]] = {
        AuthType.EXTERNALCOMMAND: lambda: ways.ExternalCommand(platform.command),
        AuthType.EXTERNAL_PROCESS: lambda: ways.ExternalCommand(platform.command),
        AuthType.CLIENTSECRET: lambda: ways.ClientSecret(platform.client_id, platform.client_credentials_secret),
        AuthType.CLIENT_CREDENTIALS: lambda: ways.ClientSecret(platform.client_id, platform.client_credentials_secret),
        AuthType.BASIC: lambda: ways.ClientSecret(platform.client_id, platform.client_credentials_secret),
        AuthType.DEVICEFLOW: lambda: ways.DeviceFlow(),
        AuthType.PKCE: lambda: browser.Pkce(),
        AuthType.STANDARD: lambda: browser.Pkce(),
    }
    by_hand = platform.auth_mode in {AuthType.DEVICEFLOW, AuthType.PKCE, AuthType.STANDARD}
    keeper = FileKeeper(platform.endpoint) if by_hand else NoKeeper()
    proxy = ways.ExternalCommand(platform.proxy_command) if platform.proxy_command else None
    return Login(lambda: servers.discover(channel, platform), kinds[platform.auth_mode], keeper, proxy)


class _Details(
    namedtuple("_Details", ("method", "timeout", "metadata", "credentials", "wait_for_ready", "compression")),
    grpc.ClientCallDetails,
):
    """Details of a call, as gRPC wants them."""


class LoginInterceptor(grpc.UnaryUnaryClientInterceptor):
    """Puts the token on every call; after a refusal it logs in, once, and makes the call again."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()

    def intercept_unary_unary(self, continuation: Any, details: grpc.ClientCallDetails, request: Any) -> Any:
        """Make a call."""
        used = [*self._credentials.metadata()]
        call = continuation(_with(details, used), request)
        if call.code() is not grpc.StatusCode.UNAUTHENTICATED or not self._renewed(used):
            return call
        return continuation(_with(details, self._credentials.metadata()), request)

    def _renewed(self, used: Metadata) -> bool:
        """Log in, unless another thread has done so since the call was made."""
        with self._lock:
            now = [*self._credentials.metadata()]
            return (bool(now) and now != used) or self._credentials.renew()


def _with(details: grpc.ClientCallDetails, entries: Metadata) -> _Details:
    return _Details(
        details.method,
        details.timeout,
        [*(details.metadata or ()), *entries],
        details.credentials,
        getattr(details, "wait_for_ready", None),
        getattr(details, "compression", None),
    )
