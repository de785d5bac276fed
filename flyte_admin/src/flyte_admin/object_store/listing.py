"""Lists of objects, a page at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from flyte_admin.object_store.documents import Node, document, timestamp
from flyte_admin.object_store.refusals import Refusal
from flyte_admin.object_store.requests import S3Request
from flyte_core.builtin.file_tree import FileObject, FileTree

PAGE = 1000
_BEYOND = "\U0010ffff"
"""Sorts after every key that starts with what stands before it."""


@dataclass(slots=True)
class Page:
    """Part of a list.

    :ivar last: the last object or common prefix of the page
    :ivar truncated: whether there is more
    """

    objects: list[FileObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str = ""
    truncated: bool = False

    def __len__(self) -> int:
        return len(self.objects) + len(self.prefixes)


def read_page(tree: FileTree, bucket: str, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """Return the objects below ``prefix`` and above ``after``; those with ``delimiter`` behind the prefix are told as
    one common prefix. Blocks.
    """
    page = Page()
    for item in _items(tree, bucket, prefix, delimiter, after):
        if len(page) >= limit:
            page.truncated = limit > 0
            break
        if isinstance(item, str):
            page.prefixes.append(item)
            page.last = item
        else:
            page.objects.append(item)
            page.last = item.key
    return page


def _items(tree: FileTree, bucket: str, prefix: str, delimiter: str, after: str) -> Iterator[FileObject | str]:
    if delimiter == "/":
        yield from tree.level(bucket, prefix, after=after)
        return
    group = None
    for found in tree.walk(bucket, prefix, after=after):
        if group is not None and found.key.startswith(group):
            continue
        head, separator, _ = found.key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        group = prefix + head + separator if separator else None
        yield found if group is None else group


def list_v2(request: S3Request, tree: FileTree) -> bytes:
    """Answer ListObjectsV2. Blocks.

    :raises Refusal: if a parameter is malformed
    """
    limit = request.number("max-keys", PAGE, PAGE)
    token = request.get("continuation-token")
    after = _from_token(token) if token else request.get("start-after")
    encode = _encoding(request)
    page = _page(request, tree, after, limit)
    content: list[Node] = [("KeyCount", str(len(page))), ("StartAfter", encode(request.get("start-after")))]
    if token:
        content.append(("ContinuationToken", token))
    if page.truncated:
        content.append(("NextContinuationToken", _token(_resume(page))))
    return document("ListBucketResult", [*_head(request, page, limit), *content, *_content(page, encode)])


def list_v1(request: S3Request, tree: FileTree) -> bytes:
    """Answer ListObjects, the older form. Blocks.

    :raises Refusal: if a parameter is malformed
    """
    limit = request.number("max-keys", PAGE, PAGE)
    marker, delimiter = request.get("marker"), request.get("delimiter")
    encode = _encoding(request)
    page = _page(request, tree, marker + _BEYOND if delimiter and marker.endswith(delimiter) else marker, limit)
    content: list[Node] = [("Marker", encode(marker))]
    if page.truncated:
        content.append(("NextMarker", encode(page.last)))
    return document("ListBucketResult", [*_head(request, page, limit), *content, *_content(page, encode)])


def _page(request: S3Request, tree: FileTree, after: str, limit: int) -> Page:
    return read_page(tree, request.bucket, request.get("prefix"), request.get("delimiter"), after, limit)


def _head(request: S3Request, page: Page, limit: int) -> list[Node]:
    encode = _encoding(request)
    content: list[Node] = [
        ("Name", request.bucket),
        ("Prefix", encode(request.get("prefix"))),
        ("MaxKeys", str(limit)),
        ("IsTruncated", "true" if page.truncated else "false"),
    ]
    if delimiter := request.get("delimiter"):
        content.append(("Delimiter", encode(delimiter)))
    if request.get("encoding-type"):
        content.append(("EncodingType", "url"))
    return content


def _content(page: Page, encode: _Encode) -> list[Node]:
    objects: list[Node] = [
        (
            "Contents",
            [
                ("Key", encode(found.key)),
                ("LastModified", timestamp(found.modified)),
                ("ETag", f'"{found.etag}"'),
                ("Size", str(found.size)),
                ("StorageClass", "STANDARD"),
            ],
        )
        for found in page.objects
    ]
    prefixes: list[Node] = [("CommonPrefixes", [("Prefix", encode(prefix))]) for prefix in page.prefixes]
    return objects + prefixes


@dataclass(frozen=True, slots=True)
class _Encode:
    url: bool

    def __call__(self, text: str) -> str:
        return quote(text, safe="/") if self.url else text


def _encoding(request: S3Request) -> _Encode:
    kind = request.get("encoding-type")
    if kind not in {"", "url"}:
        raise Refusal("InvalidArgument", f"encoding-type must be url, not {kind[:64]!r}")
    return _Encode(kind == "url")


def _resume(page: Page) -> str:
    return page.last + _BEYOND if page.prefixes and page.last == page.prefixes[-1] else page.last


def _token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refusal("InvalidArgument", "the continuation token is not one of ours") from error
