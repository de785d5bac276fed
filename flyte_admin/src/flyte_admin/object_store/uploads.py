"""Multipart uploads on disk: they outlive a restart, and become an object at once or not at all.

An upload is the folder ``<root>/%uploads/<id>`` with a description and one file for each part, named by its number and
its MD5.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path

from flyte_admin.object_store.refusals import Refusal
from flyte_core.builtin.attributes import Attributes
from flyte_core.builtin.drafts import Draft, flush_folders
from flyte_core.builtin.file_tree import FileObject, FileTree

UPLOADS = "%uploads"
KEPT = timedelta(days=7)
"""An upload to which nothing was added for so long is given up."""

_ID = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"(?P<number>\d{5})-(?P<etag>[0-9a-f]{32})")
_BLOCK = 1 << 20
_DESCRIPTION = "upload.json"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an upload.

    :ivar etag: MD5 of its bytes, in hexadecimal
    """

    number: int
    etag: str
    size: int
    modified: datetime
    path: Path


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way."""

    id: str
    bucket: str
    key: str
    started: datetime
    attributes: Attributes


class Uploads:
    """All multipart uploads of a store. Methods block, and raise OSError when the disk fails."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._root = tree.root / UPLOADS
        with tree.translated("multipart uploads"):
            self._root.mkdir(mode=0o700, exist_ok=True)
            oldest = time.time() - KEPT.total_seconds()
            for folder in self._root.iterdir():
                if folder.stat().st_mtime < oldest or not (folder / _DESCRIPTION).exists():
                    shutil.rmtree(folder)

    def create(self, bucket: str, key: str, attributes: Attributes) -> str:
        """Begin an upload and return its id."""
        upload_id = secrets.token_hex(16)
        text = json.dumps({"bucket": bucket, "key": key, "attributes": attributes.encode().decode()})
        with self._tree.draft(f"an upload of {bucket}/{key}") as draft:
            draft.write(text.encode())
            draft.seal(time.time_ns())
            flush_folders(self._tree.place(draft.path, str(self._root / upload_id / _DESCRIPTION)))
        return upload_id

    def get(self, upload_id: str, bucket: str, key: str) -> Upload:
        """Return an upload.

        :raises Refusal: ``NoSuchUpload`` if there is none with this id for this object
        """
        upload = self._read(upload_id) if _ID.fullmatch(upload_id) else None
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise _missing(upload_id)
        return upload

    def under_way(self, bucket: str, prefix: str) -> list[Upload]:
        """Return the uploads under way, in order of key."""
        names = [folder.name for folder in self._root.iterdir() if _ID.fullmatch(folder.name)]
        uploads = [upload for upload in map(self._read, names) if upload is not None]
        chosen = [upload for upload in uploads if upload.bucket == bucket and upload.key.startswith(prefix)]
        return sorted(chosen, key=lambda upload: (upload.key, upload.started))

    def put(self, upload: Upload, number: int, draft: Draft, etag: str) -> None:
        """Add a part, durably; it replaces one with the same number."""
        folder = self._root / upload.id
        draft.seal(time.time_ns())
        try:
            os.rename(draft.path, folder / f"{number:05}-{etag}")
        except FileNotFoundError as error:
            raise _missing(upload.id) from error
        for other in self.parts(upload):
            if other.number == number and other.etag != etag:
                other.path.unlink(missing_ok=True)
        flush_folders([str(folder)])

    def copy(self, upload: Upload, number: int, draft: Draft, source: FileIO, span: tuple[int, int]) -> Part:
        """Add a span of bytes (start, end) of another file as a part."""
        digest = hashlib.md5(usedforsecurity=False)
        start, end = span
        while start < end:
            data = os.pread(source.fileno(), min(_BLOCK, end - start), start)
            if not data:
                raise OSError(errno.EIO, "the source is shorter than it was")
            digest.update(data)
            draft.write(data)
            start += len(data)
        self.put(upload, number, draft, digest.hexdigest())
        return Part(number, digest.hexdigest(), draft.size, datetime.now(UTC), self._root / upload.id)

    def parts(self, upload: Upload) -> list[Part]:
        """Return the parts that are there, in order of number."""
        return sorted(self._parts(upload), key=lambda part: (part.number, part.modified))

    def complete(self, upload: Upload, wanted: Sequence[tuple[int, str]], *, only_new: bool) -> FileObject:
        """Join parts to the object, durably, and end the upload.

        :param wanted: numbers, ascending, and entity tags
        :raises Refusal: if a part is missing or another one, or the order is wrong
        """
        if not wanted or any(first >= second for (first, _), (second, _) in itertools.pairwise(wanted)):
            raise Refusal("InvalidPartOrder", "the parts must be listed in ascending order")
        there = {(part.number, part.etag): part for part in self._parts(upload)}
        absent = [number for number, etag in wanted if (number, etag) not in there]
        if absent:
            raise Refusal("InvalidPart", f"part {absent[0]} was not uploaded, or with another entity tag")
        digest = hashlib.md5(usedforsecurity=False)
        with self._tree.draft(f"{upload.bucket}/{upload.key}") as draft:
            for number, etag in wanted:
                digest.update(bytes.fromhex(etag))
                _append(draft, there[number, etag])
            attributes = Attributes(
                metadata=upload.attributes.metadata,
                headers=upload.attributes.headers,
                etag=f"{digest.hexdigest()}-{len(wanted)}",
                upload_id=upload.id,
            )
            found = self._tree.publish(draft, upload.bucket, upload.key, attributes, only_new=only_new)
        self.abort(upload.id)
        return found

    def completed(self, upload_id: str, bucket: str, key: str) -> FileObject | None:
        """Return the object that an upload has become already, for a client that missed the answer."""
        found = self._tree.stat(bucket, key)
        return found if found is not None and found.attributes.upload_id == upload_id else None

    def abort(self, upload_id: str) -> None:
        """Give up an upload and its parts."""
        folder = self._root / upload_id
        with contextlib.suppress(FileNotFoundError):
            (folder / _DESCRIPTION).unlink()
        shutil.rmtree(folder, ignore_errors=True)

    def _read(self, upload_id: str) -> Upload | None:
        path = self._root / upload_id / _DESCRIPTION
        try:
            content = json.loads(path.read_bytes())
            started = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None
        attributes = Attributes.decode(content["attributes"].encode(), f"upload {upload_id}")
        return Upload(upload_id, content["bucket"], content["key"], started, attributes)

    def _parts(self, upload: Upload) -> Iterator[Part]:
        try:
            names = os.listdir(self._root / upload.id)
        except FileNotFoundError as error:
            raise _missing(upload.id) from error
        for name in names:
            if match := _PART.fullmatch(name):
                path = self._root / upload.id / name
                status = path.stat()
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                yield Part(int(match["number"]), match["etag"], status.st_size, modified, path)


def _append(draft: Draft, part: Part) -> None:
    source = os.open(part.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        draft.append_from(source, 0, part.size)
    finally:
        os.close(source)


def _missing(upload_id: str) -> Refusal:
    return Refusal("NoSuchUpload", f"there is no upload {upload_id[:64]!r} of this object")
