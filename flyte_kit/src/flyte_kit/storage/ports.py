"""Port of an object store as a task sees it: blocking, by URI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Protocol


class ObjectStore(Protocol):
    """A store of objects. Every method raises :class:`flyte_core.errors.Unavailable` when it does not answer."""

    def exists(self, uri: str) -> bool:
        """Tell whether there is an object of that URI, or any below it."""
        ...

    def read(self, uri: str) -> bytes:
        """Return an object whole.

        :raises flyte_kit.exceptions.user.FlyteDataNotFoundException: if there is none
        """
        ...

    def write(self, uri: str, data: bytes) -> None:
        """Write an object whole."""
        ...

    def download(self, uri: str, path: str) -> None:
        """Copy an object to a local file.

        :raises flyte_kit.exceptions.user.FlyteDataNotFoundException: if there is none
        """
        ...

    def upload(self, path: str, uri: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Copy a local file to an object.

        :param headers: HTTP headers to keep with it (``Content-Encoding``)
        """
        ...

    def list(self, uri: str) -> Iterator[str]:
        """Yield the URI of every object below ``uri``, in order."""
        ...

    def open_read(self, uri: str) -> BinaryIO:
        """Open an object for reading from its start; the caller closes it."""
        ...
