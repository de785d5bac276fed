"""The journal of small objects: one append makes a batch of them durable, whatever their number.

A small object costs a flush of its own file and one of each new folder. Here the bytes of all objects that are written
at the same moment go to the end of one file, with one flush; their files are then made without one. What a power cut or
a kill takes from those files is made again from the journal by the next process.
From time to time the whole file system is flushed, and the journal starts over with an empty file.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flyte_core.builtin.drafts import flush_folders

TEMPORARY = "%tmp"
"""Folder, below the root of the store, of files that have no name yet."""
JOURNAL = "%journal"
"""Folder, below the root of the store, of the journal's files."""
SUFFIX = ".wal"
LARGEST = 64 * 1024
"""Bytes of an object above which it is flushed by itself: writing it twice would cost more than its flush."""

_HEAD = struct.Struct("<4sIQBII")
"""Mark, checksum of what follows it, stamp, kind, length of the name, length of the data."""
_MARK = b"fly1"
_WRITTEN, _REMOVED, _VOID = 1, 2, 3
_OPEN_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DSYNC


@dataclass(frozen=True, slots=True)
class Record:
    """One entry.

    :ivar name: ``bucket/key``
    :ivar stamp: the time stamp of the version that is meant
    :ivar kind: whether that version was written, was removed (with all before it), or came to nothing
    """

    name: str
    stamp: int
    data: bytes = b""
    kind: int = _WRITTEN

    @classmethod
    def removed(cls, name: str, stamp: int) -> Record:
        """Return the entry of a removal: this version and those before it must not come back."""
        return cls(name, stamp, kind=_REMOVED)

    @classmethod
    def void(cls, name: str, stamp: int) -> Record:
        """Return the entry that takes back a version which could not be given its name."""
        return cls(name, stamp, kind=_VOID)

    def encode(self) -> bytes:
        """Return the entry as it stands in the file."""
        name = self.name.encode()
        rest = struct.pack("<QBII", self.stamp, self.kind, len(name), len(self.data)) + name + self.data
        return _MARK + zlib.crc32(rest).to_bytes(4, "little") + rest


def decode(content: bytes) -> Iterator[Record]:
    """Yield the entries of a file, up to the first that was not written whole."""
    start = 0
    while start + _HEAD.size <= len(content):
        mark, checksum, stamp, kind, name_length, data_length = _HEAD.unpack_from(content, start)
        end = start + _HEAD.size + name_length + data_length
        if mark != _MARK or end > len(content) or zlib.crc32(content[start + 8 : end]) != checksum:
            return
        name_end = start + _HEAD.size + name_length
        yield Record(content[start + _HEAD.size : name_end].decode(), stamp, content[name_end:end], kind)
        start = end


def outstanding(records: Sequence[Record]) -> dict[str, Record]:
    """Return the last version of each name that was written and neither removed nor taken back."""
    removed: dict[str, int] = {}
    for record in records:
        if record.kind == _REMOVED:
            removed[record.name] = max(removed.get(record.name, 0), record.stamp)
    void = {(record.name, record.stamp) for record in records if record.kind == _VOID}
    last: dict[str, Record] = {}
    for record in records:
        wanted = record.kind == _WRITTEN and record.stamp > removed.get(record.name, 0)
        if wanted and (record.name, record.stamp) not in void:
            known = last.get(record.name)
            if known is None or known.stamp < record.stamp:
                last[record.name] = record
    return last


def flush_file_system(folder: Path) -> None:
    """Flush everything that was written to the file system of a folder.

    :raises OSError: if it failed
    """
    call = ctypes.CDLL(None, use_errno=True).syncfs
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if call(descriptor):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(descriptor)


class Journal:
    """The files of the journal that this process writes; one at a time, its lock held. Any thread may call.

    :param root: of the store
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / JOURNAL
        self._lock = threading.Lock()
        self._descriptor = -1
        self._path = ""
        self._start = 0
        self._names: dict[str, set[str]] = {}
        self._closed: dict[str, int] = {}
        self.size = 0
        """Bytes that the next process would have to read."""
        self.broken = not hasattr(ctypes.CDLL(None), "syncfs")
        """Whether nothing may be written any more: this system cannot flush a file system, or failed to."""

    def append(self, records: Sequence[Record]) -> None:
        """Write entries; when this returns they are durable.

        :raises OSError: if that is not possible; then none of them is in the journal
        """
        data = b"".join([record.encode() for record in records])
        with self._lock:
            if self._descriptor < 0:
                self._begin()
            try:
                _write_whole(self._descriptor, data)
            except OSError:
                self._cut()
                raise
            self.size += len(data)
            self._names[self._path].update(record.name for record in records)

    def note_removed(self, name: str, stamp: int) -> None:
        """Make sure that an object that was removed durably does not come back."""
        with self._lock:
            known = any(name in names for names in self._names.values())
        if known:
            self.append([Record.removed(name, stamp)])

    def claim(self) -> list[Record]:
        """Take over the files of processes that are gone, and return their entries, oldest first. The files go when
        the file system was next flushed.

        :raises OSError: if they cannot be read
        """
        records: list[Record] = []
        for path in sorted(self._folder.glob("*" + SUFFIX)):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            content = path.read_bytes()
            found = list(decode(content))
            self._closed[str(path)] = descriptor
            self._names[str(path)] = {record.name for record in found}
            self.size += len(content)
            records += found
        return records

    def rotate(self) -> Callable[[], None] | None:
        """Begin a new file with the next entry. All objects in the journal must have their files by now.

        :return: what flushes those and removes the present files, to be called from any thread before the next
            rotation; None if there are none. It raises OSError if the flush failed; nothing more is written then
        """
        with self._lock:
            self._close_present()
            self.size = 0
            closed = dict(self._closed)
        if not closed:
            return None

        def finish() -> None:
            try:
                flush_file_system(self._root)
                for path in closed:
                    os.unlink(path)
            except OSError:
                self.broken = True
                raise
            with self._lock:
                for path in closed:
                    os.close(self._closed.pop(path))
                    del self._names[path]

        return finish

    def close(self) -> None:
        """Leave the files to the next process."""
        with self._lock:
            self._close_present()
            while self._closed:
                os.close(self._closed.popitem()[1])

    def _close_present(self) -> None:
        if self._descriptor >= 0:
            self._closed[self._path] = self._descriptor
            self._descriptor = -1

    def _begin(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # Names sort by age: what is removed later never outlives what it makes obsolete. Nobody takes the file for one
        # that was left over, as it is locked before it has its name.
        name = f"{time.time_ns():020}-{secrets.token_hex(4)}{SUFFIX}"
        path = str(self._folder / name)
        draft = str(self._root / TEMPORARY / name)
        descriptor = os.open(draft, _OPEN_NEW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(draft, path)
            flush_folders([str(self._root), str(self._folder)])
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor, self._path, self._start = descriptor, path, self.size
        self._names[path] = set()

    def _cut(self) -> None:
        """Remove the entry that was written in part; where even that fails, this file ends here."""
        try:
            os.ftruncate(self._descriptor, self.size - self._start)
        except OSError:
            self.broken = True


def _write_whole(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
