"""Chunks signed one by one, against the worked example in AWS's documentation of signature version 4."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from flyte_admin.object_store.authentication import Grant
from flyte_admin.object_store.chunked import decoded_chunks
from flyte_admin.object_store.refusals import Refusal
from flyte_core.builtin.s3_signing import Credentials, Scope, SignedRequest, signature

CREDENTIALS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
SCOPE, TIME = Scope("20130524", "us-east-1"), "20130524T000000Z"
PAYLOAD = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
CHUNKS = [
    (b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
]


def encoded(chunks: list[tuple[bytes, str]]) -> bytes:
    return b"".join(b"%x;chunk-signature=%s\r\n%s\r\n" % (len(data), sign.encode(), data) for data, sign in chunks)


async def decoded(body: bytes, *, seed: str = SEED, step: int = 1000) -> bytes:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]

    grant = Grant(CREDENTIALS, SCOPE, TIME, seed, PAYLOAD)
    return b"".join([data async for data in decoded_chunks(pieces(), grant, {})])


def test_the_head_of_the_example_is_signed_as_documented() -> None:
    headers = {
        "content-encoding": "aws-chunked",
        "content-length": "66824",
        "host": "s3.amazonaws.com",
        "x-amz-content-sha256": PAYLOAD,
        "x-amz-date": TIME,
        "x-amz-decoded-content-length": "66560",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
    }
    request = SignedRequest("PUT", "/examplebucket/chunkObject.txt", (), headers, PAYLOAD)
    assert signature(request, CREDENTIALS, TIME, SCOPE) == SEED


@pytest.mark.parametrize("step", [7, 1000, 100_000])
async def test_the_chunks_of_the_example_are_taken(step: int) -> None:
    assert await decoded(encoded(CHUNKS), step=step) == b"a" * 66560


async def test_chunks_that_were_changed_dropped_or_swapped_are_refused() -> None:
    first, second, last = CHUNKS
    for chunks in (
        [(b"b" + first[0][1:], first[1]), second, last],
        [second, first, last],
        [second, last],
        [first, last],
        [first, second, (b"", second[1])],
        [first, second, (b"", "")],
    ):
        with pytest.raises(Refusal) as error:
            await decoded(encoded(chunks))
        assert error.value.code == "SignatureDoesNotMatch"
    with pytest.raises(Refusal):
        await decoded(encoded(CHUNKS), seed="0" * 64)
    with pytest.raises(Refusal) as error:
        await decoded(encoded(CHUNKS[:2]))
    assert error.value.code == "IncompleteBody"
