"""A small S3 client over ``http.client``: what tasks need, without boto3's import time.

Objects above :data:`PART_SIZE` are uploaded in parts. Requests are repeated on a broken connection and on the answers
that say "later"; all of them may be repeated safely.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import shutil
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote, unquote, urlsplit

from flyte_core.builtin.s3_signing import ALGORITHM, TIME_FORMAT, Scope, SignedRequest, encode, signature
from flyte_core.errors import PermissionDenied, Unavailable
from flyte_kit.exceptions.user import FlyteDataNotFoundException
from flyte_kit.storage.s3_settings import S3Settings, from_environment

if TYPE_CHECKING:
    from pathlib import Path

PART_SIZE = 64 * 1024 * 1024
"""Bytes of one part of a large upload; each is held in memory while it is sent."""
ATTEMPTS = 4
PAUSE_SECONDS = 0.2
TIMEOUT_SECONDS = 60
LATER = {500, 502, 503, 504, 429}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a bucket.

    :ivar key: decoded, without leading slash
    :ivar query: decoded pairs
    :ivar body: whole; a stream cannot be sent twice
    """

    method: str
    bucket: str
    key: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def uri(self) -> str:
        """The object's URI, for messages."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://`` URI."""
    parts = urlsplit(uri, allow_fragments=False)
    key = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    return parts.netloc, key


class S3Store:
    """Objects of an S3 endpoint. Safe for threads: each has its own connection.

    :param settings: those of environment and file without any
    :param keys_file: the configuration file; the one that is found without it
    """

    def __init__(self, settings: S3Settings | None = None, *, keys_file: Path | None = None) -> None:
        self.settings = settings or from_environment(keys_file=keys_file)
        self._local = threading.local()

    def exists(self, uri: str) -> bool:
        """Tell whether there is an object of that URI, or any below it."""
        bucket, key = split(uri)
        if key and self._ask(Request("HEAD", bucket, key), missing=True).status == http.client.OK:
            return True
        return next(self._pages(bucket, _folder(key), limit=1), None) is not None

    def read(self, uri: str) -> bytes:
        """Return an object whole."""
        return self._ask(Request("GET", *split(uri))).body

    def write(self, uri: str, data: bytes) -> None:
        """Write an object whole."""
        self._ask(Request("PUT", *split(uri), body=data))

    def download(self, uri: str, path: str) -> None:
        """Copy an object to a local file, through a draft: a broken download leaves nothing."""
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        draft = f"{path}.{os.getpid()}-{threading.get_ident()}.draft"
        with self.open_read(uri) as source, open(draft, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        os.replace(draft, path)

    def upload(self, path: str, uri: str, *, headers: Mapping[str, str] | None = None) -> None:
        """Copy a local file to an object."""
        bucket, key = split(uri)
        if not os.path.exists(path):
            raise FlyteDataNotFoundException(path)
        with open(path, "rb") as file:
            data = file.read(PART_SIZE)
            if len(data) < PART_SIZE:
                self._ask(Request("PUT", bucket, key, headers=headers or {}, body=data))
            else:
                self._upload_parts(bucket, key, data, file, headers or {})

    def list(self, uri: str) -> Iterator[str]:
        """Yield every object below ``uri``; that of exactly this URI counts too."""
        bucket, key = split(uri)
        found = [name for name in self._pages(bucket, key) if name == key or name.startswith(_folder(key))]
        return iter([f"s3://{bucket}/{name}" for name in found])

    def open_read(self, uri: str) -> BinaryIO:
        """Open an object for reading."""
        request = Request("GET", *split(uri))
        connection, path, headers = self._prepare(request, fresh=True)
        connection.request(request.method, path, headers=headers)
        response = connection.getresponse()
        if response.status in LATER:
            return io.BytesIO(self._ask(request).body)
        if response.status != http.client.OK:
            raise _refusal(request, response.status, response.read())
        return io.BufferedReader(_Body(connection, response, uri), 1 << 16)

    def _upload_parts(self, bucket: str, key: str, first: bytes, rest: BinaryIO, headers: Mapping[str, str]) -> None:
        started = self._ask(Request("POST", bucket, key, {"uploads": ""}, headers))
        upload = _texts(started.body, "UploadId")[0]
        etags: list[str] = []
        data = first
        while data:
            query = {"partNumber": str(len(etags) + 1), "uploadId": upload}
            etags.append(self._ask(Request("PUT", bucket, key, query, body=data)).headers["etag"])
            data = rest.read(PART_SIZE)
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            for number, etag in enumerate(etags, start=1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        self._ask(Request("POST", bucket, key, {"uploadId": upload}, body=body))

    def _pages(self, bucket: str, prefix: str, limit: int = 1000) -> Iterator[str]:
        token = ""
        while True:
            query = {"list-type": "2", "prefix": prefix, "max-keys": str(limit), "encoding-type": "url"}
            if token:
                query["continuation-token"] = token
            body = self._ask(Request("GET", bucket, "", query)).body
            yield from (unquote(name) for name in _texts(body, "Key"))
            tokens = _texts(body, "NextContinuationToken")
            if not tokens:
                return
            token = tokens[0]

    def _ask(self, request: Request, *, missing: bool = False) -> Answer:
        problem = ""
        for attempt in range(ATTEMPTS):
            try:
                answer = self._once(request, fresh=attempt > 0)
            except (OSError, http.client.HTTPException) as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if answer.status < http.client.MULTIPLE_CHOICES:
                    return answer
                if missing and answer.status in {http.client.NOT_FOUND, http.client.FORBIDDEN}:
                    return answer
                if answer.status not in LATER:
                    raise _refusal(request, answer.status, answer.body)
                problem = f"status {answer.status}"
            if attempt + 1 < ATTEMPTS:
                time.sleep(PAUSE_SECONDS * 2**attempt)
        where = self.settings.endpoint or "AWS"
        raise Unavailable(f"{request.method} {request.uri}: S3 at {where} does not answer ({problem})")

    def _once(self, request: Request, *, fresh: bool) -> Answer:
        connection, path, headers = self._prepare(request, fresh=fresh)
        connection.request(request.method, path, body=request.body or None, headers=headers)
        response = connection.getresponse()
        body = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def _prepare(self, request: Request, *, fresh: bool) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
        scheme, host, prefix = self.settings.address(request.bucket)
        path = f"{prefix}/{request.key}"
        headers = self._signed(request, host, path)
        target = quote(path, safe="/-_.~")
        if request.query:
            target += "?" + "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(request.query.items()))
        return self._connection(scheme, host, fresh=fresh), target, headers

    def _signed(self, request: Request, host: str, path: str) -> dict[str, str]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.method in {"PUT", "POST"}:
            headers["content-length"] = str(len(request.body))
        settings = self.settings
        if settings.credentials is None:
            return headers
        payload = hashlib.sha256(request.body).hexdigest()
        moment = datetime.now(UTC).strftime(TIME_FORMAT)
        headers |= {"host": host, "x-amz-date": moment, "x-amz-content-sha256": payload}
        if settings.session_token:
            headers["x-amz-security-token"] = settings.session_token
        scope = Scope(moment[:8], settings.region)
        signed = SignedRequest(request.method, path, request.query.items(), headers, payload)
        proof = signature(signed, settings.credentials, moment, scope)
        headers["authorization"] = (
            f"{ALGORITHM} Credential={settings.credentials.access_key}/{scope}, "
            f"SignedHeaders={';'.join(sorted(headers))}, Signature={proof}"
        )
        return headers

    def _connection(self, scheme: str, host: str, *, fresh: bool) -> http.client.HTTPConnection:
        known: dict[tuple[str, str], http.client.HTTPConnection] = self._local.__dict__.setdefault("known", {})
        kept = known.get((scheme, host))
        if kept is not None and not fresh:
            return kept
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        known[scheme, host] = connection = kind(host, timeout=TIMEOUT_SECONDS)
        return connection


class _Body(io.RawIOBase):
    """A response's body as a stream; a connection that ends early is an error, not an end of file."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, uri: str) -> None:
        self._connection, self._response, self._uri = connection, response, uri
        self._left = int(response.headers.get("content-length") or -1)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = self._response.readinto(buffer)
        if self._left >= 0:
            self._left -= count
            if count == 0 and self._left > 0:
                raise Unavailable(f"GET {self._uri}: the connection ended {self._left} bytes early")
        return count

    def close(self) -> None:
        self._response.close()
        super().close()


def _folder(key: str) -> str:
    return key if not key or key.endswith("/") else key + "/"


def _texts(document: bytes, tag: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(document).iter() if node.tag.rsplit("}", 1)[-1] == tag]


def _refusal(request: Request, status: int, body: bytes) -> Exception:
    if status == http.client.NOT_FOUND:
        return FlyteDataNotFoundException(request.uri)
    reason = body[:300].decode(errors="replace")
    if status in {http.client.FORBIDDEN, http.client.UNAUTHORIZED}:
        return PermissionDenied(f"{request.method} {request.uri}: refused with status {status}: {reason}")
    return Unavailable(f"{request.method} {request.uri}: status {status}: {reason}")
