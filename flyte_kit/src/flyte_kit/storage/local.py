"""Local paths and ``file://`` as an object store."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from flyte_kit.deferred import deferred
from flyte_kit.exceptions.user import FlyteDataNotFoundException

if TYPE_CHECKING:
    import shutil
    import tempfile
else:
    shutil = deferred("shutil")
    tempfile = deferred("tempfile")

FILE_SCHEME = "file://"


def local_path(uri: str) -> str:
    """Return the path of a ``file://`` URI; a plain path comes back as it is."""
    return uri.removeprefix(FILE_SCHEME)


def temporary_folder() -> str:
    """Return what ``tempfile.gettempdir()`` does, where that is plain to see: every program asks, and importing
    ``tempfile`` with its random numbers and compressors costs more than defining ten tasks.
    """
    if "tempfile" not in sys.modules:
        for folder in (os.environ.get("TMPDIR"), os.environ.get("TEMP"), os.environ.get("TMP"), "/tmp"):
            if folder and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
                return os.path.abspath(folder)
    return tempfile.gettempdir()


class LocalStore:
    """Files of this machine."""

    def exists(self, uri: str) -> bool:
        """Tell whether there is a file or folder."""
        return os.path.exists(local_path(uri))

    def read(self, uri: str) -> bytes:
        """Return a file's content."""
        with self.open_read(uri) as file:
            return file.read()

    def write(self, uri: str, data: bytes) -> None:
        """Write a file, folders included, so that a reader sees all of it or none."""
        path = _with_parent(local_path(uri))
        draft = f"{path}.{os.getpid()}.draft"
        with open(draft, "wb") as file:
            file.write(data)
        os.replace(draft, path)

    def download(self, uri: str, path: str) -> None:
        """Copy a file."""
        source = local_path(uri)
        if not os.path.exists(source):
            raise FlyteDataNotFoundException(uri)
        if os.path.abspath(source) != os.path.abspath(path):
            shutil.copyfile(source, _with_parent(path))

    def upload(self, path: str, uri: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Copy a file; there is no place for headers."""
        if not os.path.exists(path):
            raise FlyteDataNotFoundException(path)
        target = local_path(uri)
        if os.path.abspath(path) != os.path.abspath(target):
            shutil.copyfile(path, _with_parent(target))

    def list(self, uri: str) -> Iterator[str]:
        """Yield every file below a folder."""
        root = local_path(uri)
        if os.path.isfile(root):
            yield uri
            return
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                yield os.path.join(folder, name)

    def open_read(self, uri: str) -> BinaryIO:
        """Open a file."""
        try:
            return open(local_path(uri), "rb")
        except (FileNotFoundError, IsADirectoryError) as error:
            raise FlyteDataNotFoundException(uri) from error


def _with_parent(path: str) -> str:
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    return path
