"""The HTTP server: uvicorn in the running event loop, on a socket that is bound before anything starts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from flyte_admin.rest.browser_guard import BrowserGuard
from flyte_core.errors import ConfigError


class _Guarded:
    """Refuses requests of foreign web pages before any route sees them."""

    def __init__(self, app: ASGIApp, guard: BrowserGuard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Request(scope).headers
            refusal = self._guard.refusal(headers.get("host", ""), headers.get("origin"))
            if refusal is not None:
                await PlainTextResponse(refusal, status_code=403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its own signal handlers: the composition root owns signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class HttpServer:
    """Serves the gateway, ``/healthcheck`` and further routes.

    :param gateway: what serves every path that no route takes
    :param routes: more routes, matched first (the console, an object store)
    """

    def __init__(self, gateway: ASGIApp, guard: BrowserGuard, *, routes: Sequence[BaseRoute] = ()) -> None:
        app = Starlette(routes=[Route("/healthcheck", _healthcheck), *routes, Mount("/", app=gateway)])
        self._app = _Guarded(app, guard)
        self._uvicorn: _Uvicorn | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, address: str) -> str:
        """Listen on ``host:port`` (port 0: any free one) and return the address with its port.

        :raises ConfigError: if the address cannot be bound
        """
        listening = _bind(address)
        config = uvicorn.Config(
            self._app, http="h11", ws="none", lifespan="off", log_config=None, access_log=False, server_header=False
        )
        self._uvicorn = _Uvicorn(config)
        self._serving = asyncio.create_task(self._uvicorn.serve(sockets=[listening]), name="http-server")
        while not self._uvicorn.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(0.001)
        return f"{address.rpartition(':')[0]}:{listening.getsockname()[1]}"

    async def stop(self, grace: float) -> None:
        """Take no new requests, and end those that are not over after ``grace`` seconds."""
        if self._uvicorn is None or self._serving is None:
            return
        self._uvicorn.config.timeout_graceful_shutdown = max(1, round(grace))
        self._uvicorn.should_exit = True
        await self._serving


def _bind(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    # With the protocol named asyncio switches Nagle's algorithm off; without, each answer waits 40 ms for an ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), int(port)))
    except (OSError, ValueError) as error:
        listening.close()
        raise ConfigError(f"server.http_address: cannot listen on {address}: {error}") from error
    return listening


async def _healthcheck(_request: Request) -> Response:
    return Response(status_code=200)
