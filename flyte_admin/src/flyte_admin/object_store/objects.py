"""Reading, writing, copying and deleting single objects."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import format_datetime
from io import FileIO
from urllib.parse import unquote

from starlette.responses import Response, StreamingResponse

from flyte_admin.object_store.authentication import Grant
from flyte_admin.object_store.conditions import byte_range, check_conditions
from flyte_admin.object_store.documents import LARGEST, Node, document, keys_to_delete, timestamp
from flyte_admin.object_store.payload import BLOCK, Payload
from flyte_admin.object_store.receiving import receive
from flyte_admin.object_store.refusals import Refusal, refusal_of
from flyte_admin.object_store.requests import META, S3Request
from flyte_core.builtin.attributes import Attributes
from flyte_core.builtin.file_names import check_key
from flyte_core.builtin.file_store import FileStore
from flyte_core.builtin.file_tree import FileObject
from flyte_core.errors import FlyteError

XML = "application/xml"

_KEPT = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control", "expires")
_REFUSED = ("x-amz-server-side-encryption-customer-algorithm", "x-amz-tagging", "x-amz-object-lock-mode")
_READ_AT_ONCE = 256 * 1024
_COPY_CONDITIONS = "x-amz-copy-source-"


@dataclass(frozen=True, slots=True)
class Objects:
    """The operations on objects.

    :ivar limit: bytes of one request's body
    """

    store: FileStore
    limit: int

    async def put(self, request: S3Request, grant: Grant) -> Response:
        """PutObject."""
        if "if-match" in request.headers:
            raise Refusal("NotImplemented", "If-Match on a write is not supported, only If-None-Match: *")
        payload = Payload(request, grant, limit=self.limit)
        given, only_new = given_attributes(request), is_only_new(request)
        attributes = Attributes(metadata=given.metadata, headers=given.headers, etag=payload.content_md5)
        found = await receive(
            self.store,
            request.path,
            payload,
            lambda draft: self.store.tree.publish(draft, request.bucket, request.key, attributes, only_new=only_new),
        )
        return Response(headers={"etag": f'"{found.etag}"'})

    async def get(self, request: S3Request) -> Response:
        """GetObject, whole or a range, and HeadObject."""
        opened = self.store.tree.open(request.bucket, request.key)
        if opened is None:
            raise Refusal("NoSuchKey", f"{request.path[:1024]} does not exist")
        with FileIO(opened[0]) as file:
            found = opened[1]
            check_conditions(request.headers, found)
            chosen = byte_range(request.headers.get("range"), found.size)
            start, end = chosen or (0, found.size)
            headers = _described(request, found)
            headers["content-length"] = str(end - start)
            if chosen:
                headers["content-range"] = f"bytes {start}-{end - 1}/{found.size}"
            status = 206 if chosen else 200
            if request.method == "HEAD":
                return Response(status_code=status, headers=headers)
            if end - start <= _READ_AT_ONCE:
                return Response(os.pread(file.fileno(), end - start, start), status_code=status, headers=headers)
            source = FileIO(os.dup(file.fileno()))
        return StreamingResponse(self._stream(source, start, end), status_code=status, headers=headers)

    async def _stream(self, source: FileIO, start: int, end: int) -> AsyncIterator[bytes]:
        with source:
            while start < end:
                data = await self.store.run(os.pread, source.fileno(), min(BLOCK, end - start), start)
                if not data:
                    return  # the disk lost some of it: too few bytes are how the client learns that
                start += len(data)
                yield data

    async def delete(self, request: S3Request) -> Response:
        """DeleteObject."""
        await self.store.run(self.store.tree.remove, request.bucket, request.key)
        return Response(status_code=204)

    async def delete_many(self, request: S3Request, grant: Grant) -> Response:
        """DeleteObjects: each key for itself, with its own error."""
        keys, quiet = keys_to_delete(await Payload(request, grant, limit=LARGEST).whole())

        def remove() -> list[Node]:
            results: list[Node] = []
            for key in keys:
                try:
                    self.store.tree.remove(request.bucket, key)
                except FlyteError as error:
                    refusal = refusal_of(error)
                    results.append(("Error", [("Key", key), ("Code", refusal.code), ("Message", str(refusal))]))
                else:
                    if not quiet:
                        results.append(("Deleted", [("Key", key)]))
            return results

        return Response(document("DeleteResult", await self.store.run(remove)), media_type=XML)

    async def copy(self, request: S3Request) -> Response:
        """CopyObject."""
        directive = request.headers.get("x-amz-metadata-directive", "COPY").upper()
        if directive not in {"COPY", "REPLACE"}:
            raise Refusal("InvalidArgument", f"x-amz-metadata-directive must be COPY or REPLACE, not {directive[:64]}")
        bucket, key = copy_source(self.store, request)
        given, only_new = given_attributes(request), is_only_new(request)

        def copy() -> FileObject:
            descriptor, source = open_source(self.store, request, bucket, key)
            with FileIO(descriptor), self.store.tree.draft(request.path) as draft:
                draft.append_from(descriptor, 0, source.size)
                kept = given if directive == "REPLACE" else source.attributes
                attributes = Attributes(metadata=kept.metadata, headers=kept.headers, etag=source.attributes.etag)
                return self.store.tree.publish(draft, request.bucket, request.key, attributes, only_new=only_new)

        found = await self.store.run(copy)
        content: list[Node] = [("LastModified", timestamp(found.modified)), ("ETag", f'"{found.etag}"')]
        return Response(document("CopyObjectResult", content), media_type=XML)


def given_attributes(request: S3Request) -> Attributes:
    """Return what a request says of the object to be written.

    :raises Refusal: if it asks for what is not there: encryption with the client's key, tags, locks
    """
    for name in _REFUSED:
        if name in request.headers:
            raise Refusal("NotImplemented", f"{name} is not supported")
    headers = {name: request.headers[name] for name in _KEPT if request.headers.get(name)}
    if "content-encoding" in headers:
        codings = [coding.strip() for coding in headers.pop("content-encoding").split(",")]
        if kept := [coding for coding in codings if coding.lower() != "aws-chunked"]:
            headers["content-encoding"] = ",".join(kept)
    return Attributes(metadata=request.metadata(), headers=headers)


def is_only_new(request: S3Request) -> bool:
    """Tell whether a write may replace nothing.

    :raises Refusal: for another condition than ``If-None-Match: *``
    """
    condition = request.headers.get("if-none-match")
    if condition not in {None, "*"}:
        raise Refusal("NotImplemented", "on a write, If-None-Match can only be *")
    return condition is not None


def copy_source(store: FileStore, request: S3Request) -> tuple[str, str]:
    """Return bucket and key of ``x-amz-copy-source``.

    :raises Refusal: if it names none of this store
    """
    text, _, version = request.headers["x-amz-copy-source"].partition("?")
    if version:
        raise Refusal("NotImplemented", "there are no versions of objects to copy from")
    bucket, _, key = unquote(text).removeprefix("/").partition("/")
    if bucket not in store.buckets:
        raise Refusal("NoSuchBucket", f"there is no bucket {bucket[:64]!r} to copy from")
    return bucket, check_key(key)


def open_source(store: FileStore, request: S3Request, bucket: str, key: str) -> tuple[int, FileObject]:
    """Open the object to copy from, its conditions checked. Blocks; the caller closes it.

    :raises Refusal: if it is missing, or not what the client expects
    """
    opened = store.tree.open(bucket, key)
    if opened is None:
        raise Refusal("NoSuchKey", f"there is no {bucket}/{key[:1024]} to copy from")
    try:
        check_conditions(request.headers, opened[1], prefix=_COPY_CONDITIONS)
    except Refusal:
        os.close(opened[0])
        raise
    return opened


def _described(request: S3Request, found: FileObject) -> dict[str, str]:
    headers = {"content-type": "binary/octet-stream", **found.attributes.headers}
    for name in _KEPT:
        if value := request.get(f"response-{name}"):
            headers[name] = value.replace("\r", " ").replace("\n", " ")
    return {
        **headers,
        **{f"{META}{name}": value for name, value in found.attributes.metadata.items()},
        "etag": f'"{found.etag}"',
        "last-modified": format_datetime(found.modified, usegmt=True),
        "accept-ranges": "bytes",
    }
