"""The ``aws-chunked`` encoding: chunks that may be signed one by one, and trailers after the last one."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator

from flyte_admin.object_store.authentication import Grant
from flyte_admin.object_store.refusals import Refusal
from flyte_core.builtin.s3_signing import sign_text

_LONGEST_LINE = 8 * 1024
_MOST_TRAILERS = 16
_LARGEST_CHUNK = 64 * 1024 * 1024
_EMPTY = hashlib.sha256().hexdigest()


class _Reader:
    """Lines and counted bytes out of a stream of pieces."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._buffer = bytearray()

    async def line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise _malformed("a line is too long")
            await self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def take(self, count: int) -> AsyncIterator[bytes]:
        while count:
            if not self._buffer:
                await self._more()
            piece = bytes(self._buffer[:count])
            del self._buffer[: len(piece)]
            count -= len(piece)
            yield piece

    async def _more(self) -> None:
        async for data in self._source:
            if data:
                self._buffer += data
                return
        raise Refusal("IncompleteBody", "the body ends within a chunk")


class _Signatures:
    """The chain of signatures that starts at the head of the request."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._previous = grant.signature

    def check_chunk(self, digest: str, given: str) -> None:
        self._check(["AWS4-HMAC-SHA256-PAYLOAD", self._time, self._scope, self._previous, _EMPTY, digest], given)

    def check_trailers(self, trailers: bytes, given: str) -> None:
        digest = hashlib.sha256(trailers).hexdigest()
        self._check(["AWS4-HMAC-SHA256-TRAILER", self._time, self._scope, self._previous, digest], given)

    @property
    def _time(self) -> str:
        return self._grant.time

    @property
    def _scope(self) -> str:
        return str(self._grant.scope)

    def _check(self, lines: list[str], given: str) -> None:
        expected = sign_text("\n".join(lines), self._grant.credentials, self._grant.scope)
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise Refusal("SignatureDoesNotMatch", "the signature of a chunk does not fit")
        self._previous = expected


async def decoded_chunks(
    source: AsyncIterator[bytes], grant: Grant | None, trailers: dict[str, str]
) -> AsyncIterator[bytes]:
    """Yield the data of all chunks.

    :param grant: of the request when chunks are signed, else None
    :param trailers: filled at the end, names in lower case
    :raises Refusal: if the encoding is malformed, or a signature wrong
    """
    reader = _Reader(source)
    signatures = _Signatures(grant) if grant is not None else None
    size = -1
    while size:
        size, given = _chunk_head(await reader.line())
        digest = hashlib.sha256()
        async for piece in reader.take(size):
            if signatures is not None:
                digest.update(piece)
            yield piece
        if size and await reader.line():
            raise _malformed("a chunk is longer than it says")
        if signatures is not None:
            signatures.check_chunk(digest.hexdigest(), given)
    await _read_trailers(reader, signatures, trailers)


async def _read_trailers(reader: _Reader, signatures: _Signatures | None, trailers: dict[str, str]) -> None:
    signed = bytearray()
    for _ in range(_MOST_TRAILERS):
        line = await reader.line()
        if not line:
            break
        name, separator, value = line.decode("latin-1").partition(":")
        if not separator:
            raise _malformed("a trailer has no colon")
        name, value = name.strip().lower(), value.strip()
        if name == "x-amz-trailer-signature" and signatures is not None:
            signatures.check_trailers(bytes(signed), value)
            signed.clear()
        else:
            trailers[name] = value
            signed += f"{name}:{value}\n".encode("latin-1")
    if signatures is not None and signed:
        raise Refusal("SignatureDoesNotMatch", "the trailers are not signed")


def _chunk_head(line: bytes) -> tuple[int, str]:
    text, _, extension = line.decode("latin-1").partition(";")
    try:
        size = int(text, 16) if text.isalnum() else -1
    except ValueError:
        size = -1
    if not 0 <= size <= _LARGEST_CHUNK:
        raise _malformed(f"{text[:32]!r} is no size of a chunk")
    return size, extension.strip().removeprefix("chunk-signature=")


def _malformed(message: str) -> Refusal:
    return Refusal("InvalidRequest", f"aws-chunked body: {message}")
