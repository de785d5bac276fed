"""A login in the browser of this machine (OAuth's authorization code with PKCE)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sys
import threading
import time
import urllib.parse
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer

from flyte_kit.exceptions.user import FlyteAuthenticationException
from flyte_kit.remote.login.servers import LoginServer
from flyte_kit.remote.login.tokens import Token

PATIENCE_SECONDS = 180.0
SILENCE_SECONDS = 5.0
"""After which somebody who has connected and says nothing is let go of."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_PAGE = b"<!doctype html><title>Flyte</title><p>You are logged in. You can close this page.</p>"


class Pkce:
    """Opens a browser, and waits on the loopback for the code that it brings.

    :param open_page: shows an address to the user; called in a thread of its own
    """

    by_hand = True

    def __init__(self, open_page: Callable[[str], object] = webbrowser.open_new_tab) -> None:
        self._open_page = open_page

    def token(self, server: LoginServer) -> Token:
        """Let somebody log in."""
        if not server.authorization_endpoint or not server.redirect_uri:
            raise FlyteAuthenticationException("the control plane names no address for logins in a browser")
        place = urllib.parse.urlsplit(server.redirect_uri)
        if place.hostname not in _LOOPBACK:
            raise FlyteAuthenticationException(
                f"a login in a browser comes back to this machine only, not to {server.redirect_uri}"
            )
        verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(24)
        address = ("127.0.0.1" if place.hostname == "localhost" else str(place.hostname), place.port or 80)
        try:
            listener = _Listener(address, place.path or "/", state)
        except OSError as error:
            raise FlyteAuthenticationException(f"cannot wait for the browser at {address}: {error}") from error
        with listener:
            url = _page_of(server, verifier, state)
            sys.stderr.write(f"To log in, a browser opens {url}\n")
            # Some browsers run in the terminal, and come back only when they have got their answer from here
            threading.Thread(target=self._open_page, args=(url,), daemon=True).start()
            code = listener.wait(PATIENCE_SECONDS)
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "client_id": server.client_id,
            "redirect_uri": server.redirect_uri,
        }
        return Token.of_answer(server.post(server.token_endpoint, fields), server.header)


def _page_of(server: LoginServer, verifier: str, state: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    fields = {
        "client_id": server.client_id,
        "response_type": "code",
        "redirect_uri": server.redirect_uri,
        "scope": server.scope_text(),
        "audience": server.audience,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    query = urllib.parse.urlencode({key: value for key, value in fields.items() if value})
    return f"{server.authorization_endpoint}{'&' if '?' in server.authorization_endpoint else '?'}{query}"


class _Listener(HTTPServer):
    """Takes one request with the state that was sent out; others are answered and forgotten."""

    def __init__(self, address: tuple[str, int], path: str, state: str) -> None:
        super().__init__(address, _Callback)
        self.path, self.state = path, state
        self.code = ""
        self.refusal = ""

    def wait(self, seconds: float) -> str:
        """Return the code.

        :raises FlyteAuthenticationException: if the login server refuses, or nobody comes
        """
        deadline = time.monotonic() + seconds
        while not self.code and not self.refusal:
            self.timeout = deadline - time.monotonic()
            if self.timeout <= 0:
                raise FlyteAuthenticationException("nobody has logged in in the browser in time; try again")
            self.handle_request()
        if self.refusal:
            raise FlyteAuthenticationException(f"the login in the browser was refused: {self.refusal}")
        return self.code


class _Callback(BaseHTTPRequestHandler):
    server: _Listener
    timeout = SILENCE_SECONDS

    def do_GET(self) -> None:
        """Keep the code of the right page."""
        asked = urllib.parse.urlsplit(self.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(asked.query).items()}
        ours = asked.path == self.server.path and hmac.compare_digest(query.get("state", ""), self.server.state)
        if ours:
            self.server.code = query.get("code", "")
            self.server.refusal = query.get("error_description") or query.get("error", "")
        self.send_response(200 if ours else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(_PAGE if ours else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: the address has the code in it."""
