"""The endpoint: one request, one operation."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from flyte_admin.object_store.authentication import Grant, authenticate
from flyte_admin.object_store.documents import Node, document, timestamp
from flyte_admin.object_store.listing import list_v1, list_v2
from flyte_admin.object_store.multipart import Multipart
from flyte_admin.object_store.objects import XML, Objects
from flyte_admin.object_store.refusals import Refusal, refusal_of, refusal_xml
from flyte_admin.object_store.requests import S3Request
from flyte_admin.object_store.uploads import Uploads
from flyte_core.builtin.file_store import FileStore
from flyte_core.builtin.s3_signing import Credentials
from flyte_core.clock import Clock, SystemClock
from flyte_core.errors import FlyteError

LARGEST_BODY = 5 * 1024**3
"""Bytes of one PUT, as S3 has it; larger objects come in parts."""

_ALWAYS = {"x-content-type-options": "nosniff", "content-security-policy": "sandbox allow-scripts"}
"""A stored page (a deck, say) that is opened in a browser gets an origin of its own."""
_DRAINED = 64 * 1024 * 1024
"""Bytes of an unread body that are read so that a refused client hears why, instead of a broken connection."""
_OF_BUCKETS = {"location", "list-type", "delete", "uploads"}
_OF_OBJECTS = {"uploads", "uploadId", "partNumber"}
_REFUSED = {"versionId"}
_KNOWN = {
    *_OF_BUCKETS,
    *_OF_OBJECTS,
    *{"prefix", "delimiter", "max-keys", "marker", "start-after", "continuation-token", "encoding-type"},
    *{"fetch-owner", "max-parts", "part-number-marker", "x-id", "max-uploads", "key-marker", "upload-id-marker"},
}


def create_object_store_app(
    store: FileStore,
    credentials: Sequence[Credentials],
    *,
    region: str = "us-east-1",
    clock: Clock | None = None,
    largest_body: int = LARGEST_BODY,
) -> Starlette:
    """Return an ASGI application that speaks S3 over a file store, addressed by path (``/<bucket>/<key>``).

    Every request needs a signature (version 4) by one of ``credentials``; there is no CORS and nothing public. Serve it
    with an HTTP parser that takes a body with both ``Content-Length: 0`` and chunks, as stock clients send for an empty
    file: h11 does.

    :param region: told to clients; a signature for any other one is as good
    :param largest_body: bytes of one object or part
    """
    app = Starlette()
    app.router.default = ObjectStore(store, credentials, region, clock or SystemClock(), largest_body)
    return app


class ObjectStore:
    """The application below the framework's error page."""

    def __init__(
        self, store: FileStore, credentials: Sequence[Credentials], region: str, clock: Clock, largest_body: int
    ) -> None:
        self._store = store
        self._known = {pair.access_key: pair for pair in credentials}
        self._region = region
        self._clock = clock
        self._objects = Objects(store, largest_body)
        self._multipart = Multipart(store, Uploads(store.tree), largest_body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # A client that expects to be asked for its body has not sent it when it is refused, and then need not.
        inbox = _Inbox(receive, may_drain=not any(name == b"expect" for name, _ in scope["headers"]))
        request = Request(scope, inbox)
        request_id = secrets.token_hex(8)
        try:
            with self._store.tree.translated(request.url.path[:1024]):
                response = await self._answer(request)
        except ClientDisconnect:
            return
        except FlyteError as error:
            refusal = refusal_of(error)
            response = _refused(request, refusal, request_id)
            if not await inbox.drained():
                response.headers["connection"] = "close"
        response.headers["x-amz-request-id"] = request_id
        for name, value in _ALWAYS.items():
            response.headers[name] = value
        await response(scope, receive, send)

    async def _answer(self, http: Request) -> Response:
        request = S3Request.of(http)
        grant = authenticate(request, self._known, self._clock.now())
        unknown = [name for name, value in request.query if name in _REFUSED or not (value or name in _KNOWN)]
        if unknown:
            raise Refusal("NotImplemented", f"the operation {unknown[0][:64]!r} is not supported")
        if not request.bucket:
            return self._service(request)
        if request.bucket not in self._store.buckets:
            raise Refusal("NoSuchBucket", f"there is no bucket {request.bucket[:64]!r}")
        if not request.key:
            return await self._bucket(request, grant)
        if request.has("uploadId") or request.has("uploads"):
            return await self._upload(request, grant)
        return await self._object(request, grant)

    def _service(self, request: S3Request) -> Response:
        if request.method != "GET":
            raise _not_allowed(request)
        buckets: list[Node] = []
        for name in sorted(self._store.buckets):
            status = (self._store.tree.root / name).stat()
            created = timestamp(datetime.fromtimestamp(status.st_ctime, UTC))
            buckets.append(("Bucket", [("Name", name), ("CreationDate", created)]))
        owner: Node = ("Owner", [("ID", "flyte"), ("DisplayName", "flyte")])
        return Response(document("ListAllMyBucketsResult", [owner, ("Buckets", buckets)]), media_type=XML)

    async def _bucket(self, request: S3Request, grant: Grant) -> Response:
        match request.method:
            case "HEAD":
                return Response(headers={"x-amz-bucket-region": self._region})
            case "PUT":
                return Response(headers={"location": f"/{request.bucket}"})  # it exists, and the caller owns it
            case "GET" if request.has("location"):
                return Response(document("LocationConstraint", []), media_type=XML)
            case "GET" if request.has("uploads"):
                return await self._multipart.list_uploads(request)
            case "GET":
                answer = list_v2 if request.get("list-type") == "2" else list_v1
                return Response(await self._store.run(answer, request, self._store.tree), media_type=XML)
            case "POST" if request.has("delete"):
                return await self._objects.delete_many(request, grant)
        raise _not_allowed(request)

    async def _object(self, request: S3Request, grant: Grant) -> Response:
        match request.method:
            case "GET" | "HEAD":
                return await self._objects.get(request)
            case "PUT" if "x-amz-copy-source" in request.headers:
                return await self._objects.copy(request)
            case "PUT":
                return await self._objects.put(request, grant)
            case "DELETE":
                return await self._objects.delete(request)
        raise _not_allowed(request)

    async def _upload(self, request: S3Request, grant: Grant) -> Response:
        match request.method:
            case "POST" if request.has("uploads"):
                return await self._multipart.create(request)
            case "POST":
                return await self._multipart.complete(request, grant)
            case "PUT" if "x-amz-copy-source" in request.headers:
                return await self._multipart.copy(request)
            case "PUT":
                return await self._multipart.put(request, grant)
            case "GET":
                return await self._multipart.list_parts(request)
            case "DELETE":
                return await self._multipart.abort(request)
        raise _not_allowed(request)


def _not_allowed(request: S3Request) -> Refusal:
    return Refusal("MethodNotAllowed", f"{request.method} is not possible on {request.path[:1024]}")


def _refused(request: Request, refusal: Refusal, request_id: str) -> Response:
    if request.method == "HEAD" or refusal.status == 304:
        return Response(status_code=refusal.status, headers=refusal.headers)
    body = refusal_xml(refusal, request.url.path[:1024], request_id)
    return Response(body, status_code=refusal.status, headers=refusal.headers, media_type=XML)


class _Inbox:
    """What the client sends, and whether it has sent all of it."""

    def __init__(self, receive: Receive, *, may_drain: bool) -> None:
        self._receive = receive
        self._may_drain = may_drain
        self._over = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._over = message["type"] == "http.disconnect" or not message.get("more_body")
        return message

    async def drained(self) -> bool:
        """Read what is left of a short body; tell whether the connection can go on."""
        size = 0
        while not self._over and self._may_drain and size < _DRAINED:
            size += len((await self()).get("body", b""))
        return self._over
