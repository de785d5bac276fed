"""What keeps other web pages away from a server on this machine: the Host and Origin of a request, and no CORS.

A page that makes its own name resolve to 127.0.0.1 is known by its Host; a page that posts to us by its Origin.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""Hosts by which a server on the loopback is called."""


@dataclass(frozen=True, slots=True)
class BrowserGuard:
    """Checks Host and Origin.

    :ivar hosts: host names (without port) that this server is called by; ``*`` takes any
    :ivar origins: foreign origins (``https://console.example``) that may call; the server's own always may
    """

    hosts: Collection[str] = LOCAL_HOSTS
    origins: Collection[str] = ()

    def refusal(self, host: str, origin: str | None) -> str | None:
        """Return why the request is refused, None if it is not."""
        if "*" not in self.hosts and _without_port(host) not in self.hosts:
            return f"host {host[:256]!r} is not one of this server's (server.allowed_hosts)"
        if origin is None or origin in self.origins:
            return None
        if urlsplit(origin).netloc.lower() == host.lower() and host:
            return None
        return f"origin {origin[:256]!r} may not call this server (server.allowed_origins)"


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdigit() else host.lower()
