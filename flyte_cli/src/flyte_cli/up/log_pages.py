"""Serves what tasks wrote, by attempt: the target of the log links of `flyte up`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

PATH = "/logs/{namespace}/{pod}/{container}"
TEMPLATE = "{http_url}/logs/{{{{ .namespace }}}}/{{{{ .podName }}}}/{{{{ .containerName }}}}"
"""Log link of the pod plugin, once ``http_url`` is filled in."""


def log_routes(log_file: Callable[[str, str, str], Path]) -> list[BaseRoute]:
    """Return the routes; ``log_file`` says where the output of (namespace, pod, container) is."""

    async def page(request: Request) -> Response:
        parts = [request.path_params[name] for name in ("namespace", "pod", "container")]
        if any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts):
            return PlainTextResponse("no such log", status_code=404)
        path = log_file(*parts)
        if not path.is_file():
            return PlainTextResponse(f"{'/'.join(parts)} has not written anything yet\n", status_code=404)
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return FileResponse(path, media_type="text/plain; charset=utf-8", headers=headers)

    return [Route(PATH, page)]
