"""Objects behind plain ``http(s)://`` URLs: read, never written."""

from __future__ import annotations

import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import BinaryIO, cast

from flyte_core.errors import Unavailable, Unimplemented
from flyte_kit.exceptions.user import FlyteDataNotFoundException

TIMEOUT_SECONDS = 60
NOT_FOUND = 404


class WebStore:
    """What a web server hands out."""

    def exists(self, uri: str) -> bool:
        """Tell whether the URL answers."""
        try:
            self.open_read(uri).close()
        except FlyteDataNotFoundException:
            return False
        return True

    def read(self, uri: str) -> bytes:
        """Return the body."""
        with self.open_read(uri) as source:
            return source.read()

    def write(self, uri: str, data: bytes) -> None:
        """Refuse: web servers have no common way to take an object."""
        raise Unimplemented(f"{uri}: writing to a web address is not possible; use an object store")

    def download(self, uri: str, path: str) -> None:
        """Copy the body to a file."""
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with self.open_read(uri) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target)

    def upload(self, path: str, uri: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Refuse, as :meth:`write`."""
        self.write(uri, b"")

    def list(self, uri: str) -> Iterator[str]:
        """Yield the URL itself: a web server does not list."""
        yield uri

    def open_read(self, uri: str) -> BinaryIO:
        """Open the URL."""
        try:
            return cast(BinaryIO, urllib.request.urlopen(uri, timeout=TIMEOUT_SECONDS))
        except urllib.error.HTTPError as error:
            if error.code == NOT_FOUND:
                raise FlyteDataNotFoundException(uri) from error
            raise Unavailable(f"GET {uri}: status {error.code}") from error
        except OSError as error:
            raise Unavailable(f"GET {uri}: {error}") from error
