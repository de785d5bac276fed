"""Opens addresses of the web: logs, and objects by signed URLs."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import cast
from urllib.parse import urlsplit

from flyte_cli.client.connection import CALL_SECONDS
from flyte_kit.configuration.platform import is_loopback


def open_url(url: str, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """Open an address for reading; the caller closes it. No proxy is asked for what is on this machine.

    :raises OSError: if nobody answers; ``urllib.error.HTTPError`` if the answer is no success
    """
    request = urllib.request.Request(url, headers=dict(headers or {}))
    parts = urlsplit(url)
    is_here = is_loopback(parts.netloc if parts.port else f"{parts.netloc}:")
    proxies: dict[str, str] | None = {} if is_here else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    return cast(HTTPResponse, opener.open(request, timeout=CALL_SECONDS))
