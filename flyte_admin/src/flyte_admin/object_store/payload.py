"""Bodies: in blocks, decoded, and checked against everything that the client says of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from flyte_admin.object_store.authentication import Grant
from flyte_admin.object_store.chunked import decoded_chunks
from flyte_admin.object_store.refusals import Refusal
from flyte_admin.object_store.requests import S3Request
from flyte_core.builtin.s3_signing import UNSIGNED_PAYLOAD

BLOCK = 1 << 20
"""Bytes that are handed on at a time."""

STREAMS = {
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
}
_CHECKSUM = "x-amz-checksum-"


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


_CHECKSUMS: dict[str, Callable[[], _Hash]] = {
    "crc32": _Crc32,
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
"""Checksums that are verified. CRC32C and CRC64NVME need native code which Python does not have: they are let pass."""


class Payload:
    """The body of one request.

    Take the blocks from :meth:`blocks`, give each to :meth:`update` (which may run in a thread), then call
    :meth:`check` before the data is used.

    :param limit: bytes
    :ivar size: decoded bytes so far
    :ivar content_md5: of the header Content-MD5, in hexadecimal; empty without one
    """

    def __init__(self, request: S3Request, grant: Grant, *, limit: int, md5: bool = False) -> None:
        self.size = 0
        self.trailers: dict[str, str] = {}
        self._request = request
        self._grant = grant
        self._limit = limit
        self.content_md5 = _base64(request.headers["content-md5"], 16).hex() if "content-md5" in request.headers else ""
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 or self.content_md5 else None
        self._sha256 = hashlib.sha256() if _is_sha256(grant.payload) else None
        self._checksums = {name: _CHECKSUMS[name]() for name in self._named_checksums() if name in _CHECKSUMS}
        self._length = self._declared_length()

    def _named_checksums(self) -> set[str]:
        names = {name.removeprefix(_CHECKSUM) for name in self._request.headers if name.startswith(_CHECKSUM)}
        trailer = self._request.headers.get("x-amz-trailer", "").lower()
        return names | {name.strip().removeprefix(_CHECKSUM) for name in trailer.split(",") if name.strip()}

    def _declared_length(self) -> int | None:
        payload = self._grant.payload
        if payload != UNSIGNED_PAYLOAD and payload not in STREAMS and self._sha256 is None:
            raise Refusal("InvalidRequest", f"x-amz-content-sha256 {payload[:64]!r} is not supported")
        text = self._request.headers.get("x-amz-decoded-content-length" if payload in STREAMS else "content-length", "")
        if self._request.headers.get("transfer-encoding") and payload not in STREAMS:
            return None  # an empty file of some clients comes with both Content-Length: 0 and chunks
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Refusal("InvalidArgument", f"{text[:64]!r} is no length")
        if int(text) > self._limit:
            raise self._too_large(int(text))
        return int(text)

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield the decoded body; every block but the last has about :data:`BLOCK` bytes, and there is always one.

        :raises Refusal: if it is too long, shorter than declared, or a chunk is malformed or wrongly signed
        """
        source: AsyncIterator[bytes] = self._request.http.stream()
        if self._grant.payload in STREAMS:
            signed = self._grant if self._grant.payload.startswith("STREAMING-AWS4") else None
            source = decoded_chunks(source, signed, self.trailers)
        buffer = bytearray()
        async for data in source:
            self.size += len(data)
            if self.size > self._limit:
                raise self._too_large(self.size)
            buffer += data
            if len(buffer) >= BLOCK:
                yield bytes(buffer)
                buffer.clear()
        if self._length is not None and self.size != self._length:
            raise Refusal("IncompleteBody", f"the body has {self.size} bytes, {self._length} were announced")
        yield bytes(buffer)

    def update(self, block: bytes) -> None:
        """Take a block into account."""
        for digest in (self._md5, self._sha256, *self._checksums.values()):
            if digest is not None:
                digest.update(block)

    @property
    def md5(self) -> str:
        """MD5 of the body in hexadecimal; empty where nobody asked for it."""
        return self._md5.hexdigest() if self._md5 else ""

    def check(self) -> None:
        """Compare the body with what the client said.

        :raises Refusal: ``BadDigest`` if it is another one
        """
        if self.content_md5 and not hmac.compare_digest(self.md5, self.content_md5):
            raise Refusal("BadDigest", f"the body has MD5 {self.md5}, Content-MD5 says {self.content_md5}")
        if self._sha256 is not None and not hmac.compare_digest(self._sha256.hexdigest(), self._grant.payload.lower()):
            raise Refusal("XAmzContentSHA256Mismatch", "the body is not the one that was signed")
        given = {**self._request.headers, **self.trailers}
        for name, digest in self._checksums.items():
            text = given.get(_CHECKSUM + name)
            if text is None:
                raise Refusal("InvalidRequest", f"{_CHECKSUM}{name} was announced as a trailer, but is missing")
            if not hmac.compare_digest(digest.digest(), _base64(text, len(digest.digest()))):
                raise Refusal("BadDigest", f"the body does not fit {_CHECKSUM}{name}")

    async def whole(self) -> bytes:
        """Return a short body, checked."""
        data = b"".join([block async for block in self.blocks()])
        self.update(data)
        self.check()
        return data

    def _too_large(self, size: int) -> Refusal:
        return Refusal("EntityTooLarge", f"{size} bytes, at most {self._limit} are taken in one request")


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and all(char in "0123456789abcdefABCDEF" for char in text)


def _base64(text: str, length: int) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Refusal("InvalidDigest", f"{text[:64]!r} is no base64") from error
    if len(value) != length:
        raise Refusal("InvalidDigest", f"{text[:64]!r} has {len(value)} bytes, not {length}")
    return value
