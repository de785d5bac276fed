"""Where uploads go. The place is a function of the request, so that the same file has the same address each time:
clients make the version of what they register from it.
"""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta

from flyteidl.service.dataproxy_pb2 import CreateUploadLocationRequest
from google.protobuf.duration_pb2 import Duration

from flyte_core.errors import InvalidInput
from flyte_core.identifiers import check_name

MD5_BYTES = 16
_RANDOM_NAME_BYTES = 10
_LONGEST_PATH = 768
"""Bytes of folder and file name together; an object store's key holds 1,024."""
_FORBIDDEN = frozenset("\\#?")
"""What URIs and their many parsers take for something else than part of a name."""


def upload_uri(prefix: str, request: CreateUploadLocationRequest) -> str:
    """Return the address of an upload, as upstream lays it out:
    ``<prefix>/<project>/<domain>/<filename_root, or MD5 in base 32>/<filename, or a random one>``.

    :raises InvalidInput: naming the field at fault
    """
    check_name(request.project, "project")
    check_name(request.domain, "domain")
    if not request.filename_root and not request.content_md5:
        raise InvalidInput("content_md5 or filename_root is required", field="content_md5")
    if request.content_md5 and len(request.content_md5) != MD5_BYTES:
        raise InvalidInput(
            f"invalid value for content_md5: {len(request.content_md5)} bytes, an MD5 has {MD5_BYTES}",
            field="content_md5",
        )
    root = request.filename_root or base64.b32encode(request.content_md5).decode()
    name = request.filename or base64.b32encode(secrets.token_bytes(_RANDOM_NAME_BYTES)).decode().lower()
    for value, field in ((request.project, "project"), (request.domain, "domain")):
        if "/" in value:
            raise InvalidInput(f"invalid value for {field}: {value[:256]!r} has a '/'", field=field)
        _check_path(value, field)
    _check_path(root, "filename_root")
    _check_path(name, "filename")
    if len(root.encode()) + len(name.encode()) > _LONGEST_PATH:
        raise InvalidInput(
            f"filename_root and filename have together more than {_LONGEST_PATH} bytes", field="filename"
        )
    return "/".join([prefix.rstrip("/"), request.project, request.domain, root, name])


def validity(expires_in: Duration | None, longest: timedelta) -> timedelta:
    """Return how long a signed URL shall be valid; ``longest`` where nothing is asked for.

    :raises InvalidInput: if it is not above zero, or above ``longest``
    """
    if expires_in is None:
        return longest
    seconds = expires_in.seconds + expires_in.nanos / 1e9
    if not 1 <= seconds <= longest.total_seconds():
        raise InvalidInput(
            f"invalid value for expires_in: {seconds:g} s, allowed are 1 to {longest.total_seconds():g}",
            field="expires_in",
        )
    return timedelta(seconds=seconds)


def _check_path(path: str, field: str) -> None:
    names = path.split("/")
    if "" in names or "." in names or ".." in names:
        raise InvalidInput(f"invalid value for {field}: {path[:256]!r} is no relative path of plain names", field=field)
    if any(char in _FORBIDDEN or not char.isprintable() for char in path):
        raise InvalidInput(
            f"invalid value for {field}: {path[:256]!r} holds a control character, '#', '?' or '\\'", field=field
        )
