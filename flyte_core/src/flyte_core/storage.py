"""Port of the object store, where inputs, outputs, code and closures live.

A URI is ``scheme://container/key``. What a store holds is immutable by convention: the platform writes each key
once, or writes the same bytes again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What a store knows of one object.

    :ivar uri: full URI
    :ivar size: bytes
    :ivar etag: opaque; equal etags mean equal content
    :ivar modified: time of the last write
    :ivar metadata: user metadata, keys in lower case, without a provider's prefix
    """

    uri: str
    size: int
    etag: str
    modified: datetime
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL that carries its own permission.

    :ivar url: plain HTTP(S) URL
    :ivar headers: headers which the client must send as they are, beside ``Content-MD5`` where one was given
    :ivar expires_at: end of validity
    """

    url: str
    headers: dict[str, str]
    expires_at: datetime


class BlobStore(Protocol):
    """An object store. All methods raise :class:`flyte_core.errors.Unavailable` when the store does not answer
    and :class:`flyte_core.errors.InvalidInput` for a URI which is not this store's.
    """

    def owns(self, uri: str) -> bool:
        """Tell whether this store serves that URI."""
        ...

    async def read(self, uri: str, *, limit: int | None = None) -> bytes:
        """Return the whole object.

        :param limit: bytes
        :raises flyte_core.errors.NotFound: if there is no such object
        :raises flyte_core.errors.TooLarge: if the object is larger than ``limit``
        """
        ...

    async def write(self, uri: str, data: bytes, *, metadata: dict[str, str] | None = None) -> None:
        """Write the object whole and durably, or not at all."""
        ...

    async def stat(self, uri: str) -> BlobInfo | None:
        """Return what is known of the object, None if there is none."""
        ...

    async def delete(self, uri: str) -> None:
        """Delete the object; nothing happens if there is none."""
        ...

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yield every object whose URI starts with ``prefix``, in order of URI."""
        ...

    async def sign_upload(
        self,
        uri: str,
        *,
        expires: timedelta,
        content_md5: bytes = b"",
        metadata: dict[str, str] | None = None,
    ) -> SignedUrl:
        """Return a URL for one PUT of this object.

        :param content_md5: 16 bytes; when given, other content is refused by the store
        :param metadata: user metadata to be stored; the client sends it in ``SignedUrl.headers``
        """
        ...

    async def sign_download(self, uri: str, *, expires: timedelta) -> SignedUrl:
        """Return a URL for GETs of this object."""
        ...
