"""The ASGI application that turns HTTP requests into calls of the table of methods, in this process."""

from __future__ import annotations

from typing import Literal

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status as StatusMessage
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from flyte_admin.rest.json_in import read_json
from flyte_admin.rest.json_out import to_json
from flyte_admin.rest.parameters import read_query, set_field
from flyte_admin.rest.routes import Match, Routes
from flyte_admin.rpc.errors import Status, status_of
from flyte_core.errors import InvalidInput

Format = Literal["proto-json", "camel-json", "binary"]

_FORMATS: dict[str, Format] = {"application/json": "proto-json", "application/octet-stream": "binary"}
_MEDIA_TYPES: dict[Format, str] = {
    "proto-json": "application/json",
    "camel-json": "application/json",
    "binary": "application/octet-stream",
}


class _HttpRefusal(Exception):
    """A refusal that has an HTTP status of its own, beside those of the table."""

    def __init__(self, http_status: int, status: Status) -> None:
        super().__init__(status.message)
        self.http_status = http_status
        self.status = status


class Gateway:
    """Serves the routes of some methods; everything else is 404.

    :param max_body_bytes: largest body; a larger one is answered 413
    """

    def __init__(self, routes: Routes, *, max_body_bytes: int) -> None:
        self._routes = routes
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        out = _answer_format(request)
        try:
            response = await self._respond(request, out)
        except InvalidInput as error:
            status = status_of(error)
            response = _failure(status, status.http_status, out)
        except _HttpRefusal as refusal:
            response = _failure(refusal.status, refusal.http_status, out)
        except ClientDisconnect:
            return  # nobody is left to answer
        await response(scope, receive, send)

    async def _respond(self, request: Request, out: Format) -> Response:
        match = self._match(request)
        message = match.route.method.request_class()
        if match.route.has_body:
            await self._read_body(request, message)
        else:
            read_query(request.scope["query_string"], message)
        for path, text in match.fields.items():
            set_field(message, path, text)
        answer = await match.route.method.answer(message, request.headers.get("x-request-id", "")[:128])
        if isinstance(answer, Status):
            return _failure(answer, answer.http_status, out)
        return Response(_encode(answer, out), media_type=_MEDIA_TYPES[out])

    def _match(self, request: Request) -> Match:
        raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        found = self._routes.match(request.method, raw_path.partition(b"?")[0])
        if isinstance(found, Match):
            return found
        if found:
            text = f"{request.method} is not served here, {', '.join(sorted(found))} is"
            raise _HttpRefusal(405, Status(grpc.StatusCode.UNIMPLEMENTED, text))
        raise _HttpRefusal(404, Status(grpc.StatusCode.NOT_FOUND, "Not Found"))

    async def _read_body(self, request: Request, message: Message) -> None:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body_bytes:
                text = f"the body is larger than {self._max_body_bytes} bytes (server.max_message_bytes)"
                raise _HttpRefusal(413, Status(grpc.StatusCode.RESOURCE_EXHAUSTED, text))
        if not body:
            return
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        match _FORMATS.get(media_type):
            case "proto-json":
                read_json(bytes(body), message)
            case "binary":
                _read_binary(bytes(body), message)
            case _:
                text = f"content type {media_type[:256]!r}: give application/json or application/octet-stream"
                raise _HttpRefusal(415, Status(grpc.StatusCode.INVALID_ARGUMENT, text))


def _read_binary(data: bytes, message: Message) -> None:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise InvalidInput(f"the body is not a {message.DESCRIPTOR.full_name}, or nests too deeply") from error


def _answer_format(request: Request) -> Format:
    """Upstream's rule: what Accept asks for; if that is nothing known, as the body came; else lowerCamel JSON."""
    accepted = _FORMATS.get(request.headers.get("accept", "").strip().lower())
    sent = _FORMATS.get(request.headers.get("content-type", "").strip().lower())
    return accepted or sent or "camel-json"


def _encode(message: Message, out: Format) -> bytes:
    if out == "binary":
        return message.SerializeToString()
    return to_json(message, camel=out == "camel-json")


def _failure(status: Status, http_status: int, out: Format) -> Response:
    message = StatusMessage(code=status.number, message=status.message, details=status.details)
    return Response(_encode(message, out), status_code=http_status, media_type=_MEDIA_TYPES[out])
