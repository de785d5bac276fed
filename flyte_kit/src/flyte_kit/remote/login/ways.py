"""Ways to log in that need no browser on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Protocol

from flyte_kit.exceptions.user import FlyteAuthenticationException
from flyte_kit.remote.login.servers import LoginServer, Refused
from flyte_kit.remote.login.tokens import Token

COMMAND_SECONDS = 60.0
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_PAUSE = 5.0
"""Seconds between two questions, where the server names none."""
LONGEST_DEVICE_LOGIN = 900.0


class Way(Protocol):
    """Port: one way to get a token."""

    by_hand: bool
    """Whether somebody has to do something: such tokens are kept."""

    def token(self, server: LoginServer) -> Token:
        """Return a new token.

        :raises FlyteAuthenticationException: if there is none to be had; with the reason
        """
        ...


class ExternalCommand:
    """A command that prints a token.

    :param command: words
    """

    by_hand = False

    def __init__(self, command: list[str] | None) -> None:
        if not command:
            raise FlyteAuthenticationException("admin.command names no command that prints a token")
        self._command = command

    def token(self, server: LoginServer) -> Token:
        """Run the command; what it prints is never shown."""
        return Token(self.printed(), header=server.header)

    def printed(self) -> str:
        """Return what the command prints.

        :raises FlyteAuthenticationException: if it cannot be run, fails, takes too long or prints nothing
        """
        name = self._command[0]
        try:
            done = subprocess.run(self._command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FlyteAuthenticationException(f"the command for logins, {name}, cannot be run: {error}") from error
        if done.returncode or not done.stdout.strip():
            told = done.stderr.strip()[-500:] or "it printed no token"
            raise FlyteAuthenticationException(f"the command for logins, {name}, ended {done.returncode}: {told}")
        return done.stdout.strip()


class ClientSecret:
    """A client that has a secret of its own (OAuth's client credentials).

    :param client_id: of the client
    """

    by_hand = False

    def __init__(self, client_id: str | None, secret: str | None) -> None:
        if not client_id or not secret:
            raise FlyteAuthenticationException(
                "a login by secret needs admin.clientId, and admin.clientSecretEnvVar or admin.clientSecretLocation"
            )
        self._pair = (client_id, secret)

    def token(self, server: LoginServer) -> Token:
        """Ask for a token."""
        fields = {"grant_type": "client_credentials", "scope": server.scope_text(), "audience": server.audience}
        answer = server.post(server.token_endpoint, fields, basic=self._pair)
        return Token.of_answer(answer, server.header)


class DeviceFlow:
    """A login in a browser anywhere, with a code that this program shows.

    :param say: shows a line to the user
    """

    by_hand = True

    def __init__(self, say: Callable[[str], None] | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._say = say or _to_stderr
        self._sleep = sleep

    def token(self, server: LoginServer) -> Token:
        """Show address and code, and wait until somebody has logged in there."""
        if not server.device_endpoint:
            raise FlyteAuthenticationException("the control plane names no address for logins by device code")
        fields = {"client_id": server.client_id, "scope": server.scope_text(), "audience": server.audience}
        asked = server.post(server.device_endpoint, fields)
        place = asked.get("verification_uri_complete") or asked.get("verification_uri") or asked.get("verification_url")
        self._say(f"To log in, open {place} and enter the code {asked.get('user_code')}")
        return self._wait(server, str(asked.get("device_code")), asked)

    def _wait(self, server: LoginServer, code: str, asked: dict[str, object]) -> Token:
        pause = float(str(asked.get("interval") or DEVICE_PAUSE))
        left = min(float(str(asked.get("expires_in") or LONGEST_DEVICE_LOGIN)), LONGEST_DEVICE_LOGIN)
        fields = {"grant_type": DEVICE_GRANT, "device_code": code, "client_id": server.client_id}
        while left > 0:
            try:
                return Token.of_answer(server.post(server.token_endpoint, fields), server.header)
            except Refused as refused:
                if refused.error not in {"authorization_pending", "slow_down"}:
                    raise
                pause += DEVICE_PAUSE if refused.error == "slow_down" else 0
            self._sleep(pause)
            left -= max(pause, 0.01)
        raise FlyteAuthenticationException("nobody has logged in with the code in time; try again")


def refreshed(server: LoginServer, token: Token) -> Token | None:
    """Return another token for one that has come to its end; None where the server wants a new login."""
    if not token.refresh:
        return None
    fields = {"grant_type": "refresh_token", "refresh_token": token.refresh, "client_id": server.client_id}
    try:
        answer = server.post(server.token_endpoint, fields)
    except Refused:
        return None
    return Token.of_answer(answer, server.header, token.refresh)


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
