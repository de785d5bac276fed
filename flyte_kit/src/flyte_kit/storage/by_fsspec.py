"""Every other scheme (``gs``, ``abfs``, ``hdfs``, …) through fsspec, where the user has installed it."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

from flyte_core.errors import ConfigError
from flyte_kit.exceptions.user import FlyteDataNotFoundException


class FsspecStore:
    """Objects of one scheme of fsspec."""

    def __init__(self, scheme: str) -> None:
        if importlib.util.find_spec("fsspec") is None:
            raise ConfigError(f"{scheme}:// needs fsspec and its package for that scheme: pip install fsspec[{scheme}]")
        self._scheme = scheme
        self._system: Any = importlib.import_module("fsspec").filesystem(scheme)

    def exists(self, uri: str) -> bool:
        """Tell whether there is an object of that URI, or any below it."""
        return bool(self._system.exists(uri))

    def read(self, uri: str) -> bytes:
        """Return an object whole."""
        with self.open_read(uri) as source:
            return source.read()

    def write(self, uri: str, data: bytes) -> None:
        """Write an object whole."""
        self._system.pipe_file(uri, data)

    def download(self, uri: str, path: str) -> None:
        """Copy an object to a local file."""
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        try:
            self._system.get_file(uri, path)
        except FileNotFoundError as error:
            raise FlyteDataNotFoundException(uri) from error

    def upload(self, path: str, uri: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Copy a local file to an object; fsspec has no common way to pass headers."""
        self._system.put_file(path, uri)

    def list(self, uri: str) -> Iterator[str]:
        """Yield every object below ``uri``."""
        for name in sorted(self._system.find(uri)):
            yield name if "://" in name else f"{self._scheme}://{name}"

    def open_read(self, uri: str) -> BinaryIO:
        """Open an object."""
        try:
            return cast(BinaryIO, self._system.open(uri, "rb"))
        except FileNotFoundError as error:
            raise FlyteDataNotFoundException(uri) from error
