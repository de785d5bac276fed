"""A request of S3, parsed once."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from flyte_admin.object_store.refusals import Refusal

LARGEST_METADATA = 2 * 1024
"""Bytes of user metadata, as S3 has it."""
META = "x-amz-meta-"


@dataclass(frozen=True, slots=True)
class S3Request:
    """The head of a request; its body is read elsewhere.

    :ivar path: decoded, with the leading slash
    :ivar bucket: empty for the service itself
    :ivar key: empty for the bucket itself
    :ivar query: decoded pairs in order
    :ivar headers: names in lower case, repeated ones joined
    """

    http: Request
    method: str
    path: str
    bucket: str
    key: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]

    @classmethod
    def of(cls, http: Request) -> S3Request:
        """Parse the head.

        :raises Refusal: if path or query is no UTF-8
        """
        path = _decoded(http.scope.get("raw_path") or http.scope["path"].encode())
        bucket, _, key = path.removeprefix("/").partition("/")
        headers: dict[str, str] = {}
        for name, value in http.headers.items():
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        return cls(http, http.method, path, bucket, key, tuple(_pairs(http.scope["query_string"])), headers)

    def has(self, name: str) -> bool:
        """Tell whether the query has a parameter, with or without a value."""
        return any(given == name for given, _ in self.query)

    def get(self, name: str, default: str = "") -> str:
        """Return a parameter of the query."""
        return next((value for given, value in self.query if given == name), default)

    def number(self, name: str, default: int, highest: int) -> int:
        """Return a number of the query, cut to ``highest``.

        :raises Refusal: if it is no number from 0 on
        """
        text = self.get(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Refusal("InvalidArgument", f"{name} must be a number, not {text[:64]!r}")
        return min(int(text), highest)

    def metadata(self) -> dict[str, str]:
        """Return the user metadata, without the prefix.

        :raises Refusal: if it is too large
        """
        found = {name.removeprefix(META): value for name, value in self.headers.items() if name.startswith(META)}
        size = sum(len(name) + len(value) for name, value in found.items())
        if size > LARGEST_METADATA:
            raise Refusal("MetadataTooLarge", f"{size} bytes of metadata, at most {LARGEST_METADATA} are allowed")
        return found


def _pairs(query: bytes) -> list[tuple[str, str]]:
    pairs = []
    for part in query.replace(b"+", b" ").split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(text: bytes) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise Refusal("InvalidURI", "the address is no UTF-8") from error
