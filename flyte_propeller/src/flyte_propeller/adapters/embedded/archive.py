"""Unpacks code archives: regular files and folders only, all of it or nothing.

An archive comes from whoever may register a workflow. It is read twice: once to check every entry and the stream to its
last byte, and only then to write. Both passes apply the same rules.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flyte_core.errors import InvalidInput, TooLarge, Unavailable

_BLOCK = 1 << 20
_LONGEST_NAME = 255
_LONGEST_PATH = 2048
_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may hold.

    :ivar entries: files and folders
    :ivar size: bytes unpacked
    :ivar ratio: unpacked bytes per packed byte; more is a bomb
    :ivar free: bytes unpacked for which the ratio is not asked
    """

    entries: int = 100_000
    size: int = 4 * 2**30
    ratio: int = 200
    free: int = 64 * 2**20


def extract(source: bytes | Path, target: Path, limits: ArchiveLimits = ArchiveLimits()) -> None:
    """Unpack a ``.tar.gz`` into an existing folder. Nothing is written unless the whole archive is in order.

    Files keep their permissions but for set-user-id and its kin; the owner can always read and write. A file that is
    there already is replaced, a link never followed.

    :param source: the archive, or the file that holds it
    :raises flyte_core.errors.InvalidInput: if it is no such archive, is damaged, holds links, devices, absolute paths,
        ``..``, a path twice, or anything after its end
    :raises flyte_core.errors.TooLarge: if it holds too many files or bytes
    :raises flyte_core.errors.Unavailable: if the disk is full or fails
    """
    with _opened(source) as (file, packed):
        with _readable():
            for _ in _entries(file, packed, limits):
                pass
        file.seek(0)
        with _readable(), _writable(target):
            for path, member, archive in _entries(file, packed, limits):
                _write(archive, member, target.joinpath(*path))


@contextlib.contextmanager
def _opened(source: bytes | Path) -> Iterator[tuple[BinaryIO, int]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source), len(source)
        return
    try:
        file = source.open("rb")
    except OSError as error:
        raise Unavailable(f"the code archive {source} cannot be read: {error.strerror}") from error
    with file:
        yield file, os.fstat(file.fileno()).st_size


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidInput(f"the code archive is no whole .tar.gz: {error}") from error


@contextlib.contextmanager
def _writable(target: Path) -> Iterator[None]:
    try:
        yield
    except gzip.BadGzipFile:
        raise  # an OSError by descent, but not the disk's
    except OSError as error:
        raise Unavailable(f"the code archive cannot be unpacked into {target}: {error.strerror}") from error


class _Bounded:
    """The unpacked stream, of which no more than a bound is ever produced."""

    def __init__(self, file: BinaryIO, packed: int, limits: ArchiveLimits) -> None:
        self._stream = gzip.GzipFile(fileobj=file, mode="rb")
        self._packed = packed
        # Beside the files themselves there are their headers, and the padding of both.
        self._bound = min(limits.size, limits.free + packed * limits.ratio) + 4096 * limits.entries

    def read(self, count: int) -> bytes:
        if count > _BLOCK:
            raise TooLarge(f"the code archive has a header of {count} bytes")
        self._check(self._stream.tell() + count)
        return self._stream.read(count)

    def seek(self, position: int) -> int:
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def rest_is_empty(self) -> bool:
        """Read to the end, which checks the checksum; tell whether there were only zeros."""
        while data := self.read(_BLOCK):
            if data.count(0) != len(data):
                return False
        return True

    def _check(self, position: int) -> None:
        if position > self._bound + 2 * _BLOCK:
            raise TooLarge(f"the code archive unpacks to more than {self._bound} bytes from {self._packed}")


def _entries(
    file: BinaryIO, packed: int, limits: ArchiveLimits
) -> Iterator[tuple[tuple[str, ...], tarfile.TarInfo, tarfile.TarFile]]:
    """Yield the entries with their paths, each checked, parents before children in the order of the archive."""
    stream = _Bounded(file, packed, limits)
    checks = _Checks(packed, limits)
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]
        while (member := archive.next()) is not None:
            archive.members.clear()  # tarfile would keep every one
            path = checks.path(member)
            if path:
                yield path, member, archive
        stream.seek(archive.offset)
    if not stream.rest_is_empty():
        raise InvalidInput("the code archive goes on after its end")


class _Checks:
    def __init__(self, packed: int, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._packed = packed
        self._files: set[tuple[str, ...]] = set()
        self._folders: set[tuple[str, ...]] = set()
        self._count = 0
        self._size = 0

    def path(self, member: tarfile.TarInfo) -> tuple[str, ...]:
        """Return the parts of the path of an entry; none for the root folder."""
        name = member.name[:256]
        if member.type not in _TYPES:
            raise InvalidInput(f"the code archive holds {name!r}, which is neither a file nor a folder")
        parts = _parts(member.name)
        self._count_in(member)
        parents = [parts[:length] for length in range(1, len(parts))]
        if member.isdir():
            parents.append(parts)
        elif parts in self._files or parts in self._folders or not parts:
            raise InvalidInput(f"the code archive holds {name!r} twice")
        else:
            self._files.add(parts)
        if any(parent in self._files for parent in parents):
            raise InvalidInput(f"the code archive holds {name!r} below a file")
        self._folders.update(parents)
        return parts

    def _count_in(self, member: tarfile.TarInfo) -> None:
        limits = self._limits
        self._count += 1
        self._size += member.size
        if self._count > limits.entries:
            raise TooLarge(f"the code archive holds more than {limits.entries} files and folders")
        if self._size > min(limits.size, limits.free + self._packed * limits.ratio):
            raise TooLarge(f"the code archive unpacks to {self._size} bytes or more from {self._packed}")


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    drive = len(name) > 1 and name[1] == ":" and name[0].isalpha()
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or drive:
        raise InvalidInput(f"the code archive holds {name[:256]!r}, which points out of its folder")
    if len(os.fsencode(name)) > _LONGEST_PATH or any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        raise InvalidInput(f"the code archive holds {name[:256]!r}, which is too long for a path")
    return parts


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    mode = member.mode & 0o777
    if member.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(mode | 0o700)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = archive.extractfile(member)
    if source is None:
        raise InvalidInput(f"the code archive holds {member.name[:256]!r}, which has no content")
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with open(os.open(path, _NEW_FILE, 0o600), "wb") as file:
        while data := source.read(_BLOCK):
            file.write(data)
        os.fchmod(file.fileno(), mode | 0o600)
