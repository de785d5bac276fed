"""Multipart uploads, as requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO

from starlette.responses import Response

from flyte_admin.object_store.authentication import Grant
from flyte_admin.object_store.conditions import byte_range
from flyte_admin.object_store.documents import LARGEST, Node, document, parts_to_join, timestamp
from flyte_admin.object_store.objects import XML, copy_source, given_attributes, is_only_new, open_source
from flyte_admin.object_store.payload import Payload
from flyte_admin.object_store.receiving import receive
from flyte_admin.object_store.refusals import Refusal
from flyte_admin.object_store.requests import S3Request
from flyte_admin.object_store.uploads import Part, Upload, Uploads
from flyte_core.builtin.file_store import FileStore
from flyte_core.builtin.file_tree import FileObject

MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Multipart:
    """The operations on multipart uploads.

    :ivar limit: bytes of one part
    """

    store: FileStore
    uploads: Uploads
    limit: int

    async def create(self, request: S3Request) -> Response:
        """CreateMultipartUpload."""
        attributes = given_attributes(request)
        upload_id = await self.store.run(self.uploads.create, request.bucket, request.key, attributes)
        content = [("Bucket", request.bucket), ("Key", request.key), ("UploadId", upload_id)]
        return Response(document("InitiateMultipartUploadResult", content), media_type=XML)

    async def put(self, request: S3Request, grant: Grant) -> Response:
        """UploadPart."""
        number, upload = _number(request), await self._upload(request)
        payload = Payload(request, grant, limit=self.limit, md5=True)
        await receive(
            self.store,
            request.path,
            payload,
            lambda draft: self.uploads.put(upload, number, draft, payload.md5),
        )
        return Response(headers={"etag": f'"{payload.md5}"'})

    async def copy(self, request: S3Request) -> Response:
        """UploadPartCopy."""
        number, upload = _number(request), await self._upload(request)
        bucket, key = copy_source(self.store, request)
        part = await self.store.run(self._copy, request, upload, number, bucket, key)
        content: list[Node] = [("LastModified", timestamp(part.modified)), ("ETag", f'"{part.etag}"')]
        return Response(document("CopyPartResult", content), media_type=XML)

    def _copy(self, request: S3Request, upload: Upload, number: int, bucket: str, key: str) -> Part:
        descriptor, source = open_source(self.store, request, bucket, key)
        with FileIO(descriptor) as file, self.store.tree.draft(request.path) as draft:
            chosen = byte_range(request.headers.get("x-amz-copy-source-range"), source.size)
            start, end = chosen or (0, source.size)
            if end - start > self.limit:
                raise Refusal("EntityTooLarge", f"{end - start} bytes, a part has at most {self.limit}")
            return self.uploads.copy(upload, number, draft, file, (start, end))

    async def complete(self, request: S3Request, grant: Grant) -> Response:
        """CompleteMultipartUpload; done again by a client that missed the answer, it gives the same one."""
        parts = parts_to_join(await Payload(request, grant, limit=LARGEST).whole())
        only_new = is_only_new(request)

        def join() -> FileObject:
            upload_id = request.get("uploadId")
            found = self.uploads.completed(upload_id, request.bucket, request.key)
            if found is None:
                upload = self.uploads.get(upload_id, request.bucket, request.key)
                found = self.uploads.complete(upload, parts, only_new=only_new)
            return found

        found = await self.store.run(join)
        content = [
            ("Location", f"/{request.bucket}/{request.key}"),
            ("Bucket", request.bucket),
            ("Key", request.key),
            ("ETag", f'"{found.etag}"'),
        ]
        return Response(document("CompleteMultipartUploadResult", content), media_type=XML)

    async def abort(self, request: S3Request) -> Response:
        """AbortMultipartUpload."""
        upload = await self._upload(request)
        await self.store.run(self.uploads.abort, upload.id)
        return Response(status_code=204)

    async def list_parts(self, request: S3Request) -> Response:
        """ListParts."""
        upload = await self._upload(request)
        after = request.number("part-number-marker", 0, MOST_PARTS)
        limit = request.number("max-parts", 1000, 1000)
        parts = [part for part in await self.store.run(self.uploads.parts, upload) if part.number > after]
        return Response(_parts_document(request, upload, parts, limit), media_type=XML)

    async def list_uploads(self, request: S3Request) -> Response:
        """ListMultipartUploads, all on one page."""
        uploads = await self.store.run(self.uploads.under_way, request.bucket, request.get("prefix"))
        content: list[Node] = [("Bucket", request.bucket), ("IsTruncated", "false")]
        content += [
            ("Upload", [("Key", item.key), ("UploadId", item.id), ("Initiated", timestamp(item.started))])
            for item in uploads
        ]
        return Response(document("ListMultipartUploadsResult", content), media_type=XML)

    async def _upload(self, request: S3Request) -> Upload:
        return await self.store.run(self.uploads.get, request.get("uploadId"), request.bucket, request.key)


def _parts_document(request: S3Request, upload: Upload, parts: Sequence[Part], limit: int) -> bytes:
    content: list[Node] = [
        ("Bucket", request.bucket),
        ("Key", request.key),
        ("UploadId", upload.id),
        ("MaxParts", str(limit)),
        ("IsTruncated", "true" if len(parts) > limit else "false"),
    ]
    if len(parts) > limit > 0:
        content.append(("NextPartNumberMarker", str(parts[limit - 1].number)))
    content += [
        (
            "Part",
            [
                ("PartNumber", str(part.number)),
                ("LastModified", timestamp(part.modified)),
                ("ETag", f'"{part.etag}"'),
                ("Size", str(part.size)),
            ],
        )
        for part in parts[:limit]
    ]
    return document("ListPartsResult", content)


def _number(request: S3Request) -> int:
    number = request.number("partNumber", 0, MOST_PARTS + 1)
    if not 1 <= number <= MOST_PARTS:
        raise Refusal("InvalidArgument", f"partNumber must be from 1 to {MOST_PARTS}")
    return number
