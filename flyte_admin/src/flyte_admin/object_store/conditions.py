"""Conditional requests, and ranges of bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from flyte_admin.object_store.refusals import Refusal
from flyte_core.builtin.file_tree import FileObject

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def check_conditions(headers: Mapping[str, str], found: FileObject, *, prefix: str = "") -> None:
    """Check ``If-Match`` and its kin, in the order of RFC 9110.

    :param prefix: before the headers' names (``x-amz-copy-source-``)
    :raises Refusal: ``PreconditionFailed``, or ``NotModified`` for a reader who has this version
    """
    match, none_match = headers.get(f"{prefix}if-match"), headers.get(f"{prefix}if-none-match")
    if match is not None:
        if not _matches(match, found):
            raise Refusal("PreconditionFailed", "the object has another entity tag (If-Match)")
    elif (unmodified := _time(headers.get(f"{prefix}if-unmodified-since"))) and _seconds(found) > unmodified:
        raise Refusal("PreconditionFailed", "the object was modified (If-Unmodified-Since)")
    if none_match is not None:
        if _matches(none_match, found):
            raise _unchanged(found, prefix)
    elif (modified := _time(headers.get(f"{prefix}if-modified-since"))) and _seconds(found) <= modified:
        raise _unchanged(found, prefix)


def byte_range(text: str | None, size: int) -> tuple[int, int] | None:
    """Return start and end (exclusive) of a header ``Range``; None for the whole object, as for several ranges.

    :raises Refusal: ``InvalidRange`` if there are no such bytes
    """
    match = _RANGE.fullmatch(text.strip()) if text else None
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        start, end = max(size - int(match[2]), 0), size
    else:
        start, end = int(match[1]), min(int(match[2] or size), size - 1) + 1
        if match[2] and int(match[2]) < start:
            return None
    if start >= size or start >= end:
        message = f"there are no bytes {text} in an object of {size} bytes"
        raise Refusal("InvalidRange", message, headers={"content-range": f"bytes */{size}"})
    return start, end


def _unchanged(found: FileObject, prefix: str) -> Refusal:
    if prefix:
        return Refusal("PreconditionFailed", "the source is the version that was excluded")
    return Refusal("NotModified", "the object is unchanged", headers={"etag": f'"{found.etag}"'})


def _matches(text: str, found: FileObject) -> bool:
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in text.split(",")}
    return "*" in tags or found.etag in tags


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None  # RFC 9110: a date that is none is as if it were not there
    return moment if moment.tzinfo is not None else None


def _seconds(found: FileObject) -> datetime:
    return found.modified.replace(microsecond=0)
