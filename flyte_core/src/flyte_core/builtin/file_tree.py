"""Objects as files below one folder: the synchronous half of the file store.

A write goes to a temporary file of the same file system, is flushed to disk, and only then takes its name; the folder
is flushed too. So an object is there whole or not at all, and what was written outlives a power cut. Reads follow no
link and open nothing but regular files. An object never changes in place: who has it open reads one version to its end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flyte_core.builtin.attributes import NONE, Attributes, attributes_file
from flyte_core.builtin.drafts import Draft, Stamps, flush_folders, version_of
from flyte_core.builtin.file_names import check_bucket, object_path
from flyte_core.builtin.journal import TEMPORARY, Journal, Record, outstanding
from flyte_core.builtin.walk import Entry, level, walk
from flyte_core.errors import AlreadyExists, ConfigError, Unavailable

ATTRIBUTES = "%meta"
"""Folder, below each bucket, of the objects' attributes."""

_OPEN_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ABSENT = (FileNotFoundError, NotADirectoryError)
_PLACE_ATTEMPTS = 50
_LEFT_OVER = timedelta(hours=6)
"""A temporary file that was not written to for so long belongs to no running process."""


class StoreFull(Unavailable):
    """There is no room left for the object; nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A small object whose bytes are in a temporary file, not flushed.

    :ivar path: where it will be
    """

    bucket: str
    key: str
    draft: Draft
    path: str
    record: Record


@dataclass(frozen=True, slots=True)
class FileObject:
    """One version of an object.

    :ivar version: differs between any two versions of one key
    :ivar modified: when it was written
    """

    bucket: str
    key: str
    size: int
    version: str
    modified: datetime
    attributes: Attributes = NONE

    @property
    def etag(self) -> str:
        """Entity tag: equal ones mean equal content."""
        return self.attributes.etag or self.version


class FileTree:
    """The objects below ``root``, in ``root/<bucket>/<path of the key>``. Methods block and may be called from any
    thread; each translates errors of the file system.

    :param root: created with mode 0700 when missing
    :raises ConfigError: if the folder cannot be used
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.journal = Journal(self.root)
        self._temporary = str(self.root / TEMPORARY)
        self._stamps = Stamps()
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
            os.makedirs(self._temporary, mode=0o700, exist_ok=True)
            self._remove_left_overs()
            self._recover()
        except OSError as error:
            raise ConfigError(
                f"the folder of the object store, {self.root}, cannot be used: {error.strerror}"
            ) from error

    def create_bucket(self, bucket: str) -> None:
        """Make the bucket, durably; nothing happens if it is there."""
        check_bucket(bucket)
        with self.translated(f"bucket {bucket}"):
            flush_folders(self._make_folder(str(self.root / bucket / ATTRIBUTES)))

    def open(self, bucket: str, key: str) -> tuple[int, FileObject] | None:
        """Open an object for reading; the caller closes the descriptor. None if there is no such object.

        :raises Unavailable: if there is something else than a regular file
        """
        path = self._path(bucket, key)
        with self.translated(f"{bucket}/{key}"):
            try:
                descriptor = os.open(path, _OPEN_READ)
            except _ABSENT:
                return None
            try:
                return descriptor, self._regular(bucket, key, os.fstat(descriptor))
            except BaseException:
                os.close(descriptor)
                raise

    def stat(self, bucket: str, key: str) -> FileObject | None:
        """Describe an object; None if there is none."""
        path = self._path(bucket, key)
        with self.translated(f"{bucket}/{key}"):
            try:
                return self._regular(bucket, key, os.lstat(path))
            except _ABSENT:
                return None

    @contextlib.contextmanager
    def draft(self, name: str = "the object") -> Iterator[Draft]:
        """Give a new temporary file, removed at the end unless it was published.

        :param name: for errors
        :raises StoreFull: if there is no room
        """
        with self.translated(name):
            draft = self.new_draft()
            try:
                yield draft
            finally:
                draft.discard()

    def new_draft(self) -> Draft:
        """Return a new temporary file, which the caller publishes or discards."""
        path = f"{self._temporary}/{secrets.token_hex(12)}"
        return Draft(path, os.open(path, _OPEN_NEW, 0o600))

    def publish(
        self, draft: Draft, bucket: str, key: str, attributes: Attributes = NONE, *, only_new: bool = False
    ) -> FileObject:
        """Make what was drafted the content of an object, durably and at once.

        :param only_new: replace nothing
        :raises AlreadyExists: if there is such an object already and ``only_new`` is set
        :raises StoreFull: if there is no room
        """
        path = self._path(bucket, key)
        with self.translated(f"{bucket}/{key}"):
            stamp = self._stamps.next()
            version = draft.seal(stamp)
            changed = self._write_attributes(bucket, key, version, attributes) if attributes else []
            replaced = self._version_at(path)
            try:
                changed += self.place(draft.path, path, only_new=only_new)
            except BaseException:
                self._forget_attributes(bucket, key, version)
                raise
            flush_folders(changed)
            if replaced is not None:
                self._forget_attributes(bucket, key, replaced)
        modified = datetime.fromtimestamp(stamp / 1e9, UTC)
        return FileObject(bucket, key, draft.size, version, modified, attributes)

    def write(self, bucket: str, key: str, data: bytes, attributes: Attributes = NONE) -> FileObject:
        """Write an object whole."""
        with self.draft(f"{bucket}/{key}") as draft:
            draft.write(data)
            return self.publish(draft, bucket, key, attributes)

    def stage(self, bucket: str, key: str, data: bytes) -> Staged:
        """Prepare a small object: some system calls that wait for no disk. It is durable once its record is in the
        journal, and there once it is settled.

        :raises StoreFull: if there is no room
        """
        path = self._path(bucket, key)
        with self.translated(f"{bucket}/{key}"):
            draft = self.new_draft()
            try:
                draft.write(data)
                stamp = self._stamps.next()
                draft.stamp(stamp)
                self._make_folder(os.path.dirname(path))
            except BaseException:
                draft.discard()
                raise
        return Staged(bucket, key, draft, path, Record(f"{bucket}/{key}", stamp, data))

    def settle(self, staged: Staged) -> None:
        """Give what was staged its name."""
        with self.translated(staged.record.name):
            replaced = self._version_at(staged.path)
            try:
                self.place(staged.draft.path, staged.path)
            except OSError:
                staged.draft.discard()
                self.journal.append([Record.void(staged.record.name, staged.record.stamp)])
                raise
            if replaced is not None:
                self._forget_attributes(staged.bucket, staged.key, replaced)

    def _recover(self) -> None:
        """Make the objects again that a process which is gone left in its journal and that its files do not have."""
        for name, record in outstanding(self.journal.claim()).items():
            bucket, _, key = name.partition("/")
            path = self._path(bucket, key)
            if not _is_later_or_same(path, record):
                draft = self.new_draft()
                draft.write(record.data)
                draft.stamp(record.stamp)
                self.place(draft.path, path)

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object, durably, and the folders that it leaves empty."""
        path = self._path(bucket, key)
        with self.translated(f"{bucket}/{key}"):
            try:
                status = os.lstat(path)
                os.unlink(path)
            except _ABSENT:
                return
            self._forget_attributes(bucket, key, version_of(status.st_mtime_ns, status.st_size))
            folder = self._prune(os.path.dirname(path), str(self.root / bucket))
            flush_folders([folder])
            self.journal.note_removed(f"{bucket}/{key}", status.st_mtime_ns)

    def walk(self, bucket: str, prefix: str = "", *, after: str = "") -> Iterator[FileObject]:
        """Yield the objects whose keys start with ``prefix``, in order of key (its UTF-8 bytes).

        :param after: yield only keys above this one
        """
        with self.translated(bucket):
            for entry in walk(str(self.root / bucket), prefix, after):
                found = self._describe(bucket, entry)
                if found is not None:
                    yield found

    def level(self, bucket: str, prefix: str = "", *, after: str = "") -> Iterator[FileObject | str]:
        """Yield what :meth:`walk` does, but for all objects below one folder only its key prefix, ending in ``/``."""
        with self.translated(bucket):
            for entry in level(str(self.root / bucket), prefix, after):
                found = entry.key if entry.folder else self._describe(bucket, entry)
                if found is not None:
                    yield found

    def _describe(self, bucket: str, entry: Entry) -> FileObject | None:
        try:
            status = entry.status()
        except _ABSENT:
            return None
        return self._described(bucket, entry.key, status) if stat.S_ISREG(status.st_mode) else None

    def place(self, source: str, path: str, *, only_new: bool = False) -> list[str]:
        """Give a flushed file its final name, making folders as needed.

        :return: the folders to flush before the name is durable. Flushing all of them at the end costs little more
            than flushing one
        """
        folder = os.path.dirname(path)
        changed = [folder]
        for attempt in range(_PLACE_ATTEMPTS):
            try:
                if only_new:
                    os.link(source, path)
                else:
                    os.rename(source, path)
                break
            except FileExistsError as error:
                raise AlreadyExists(f"{os.path.relpath(path, self.root)} exists already") from error
            except FileNotFoundError:
                # The folder is new, or somebody just removed it with the last object in it.
                if attempt == _PLACE_ATTEMPTS - 1:
                    raise
                changed += self._make_folder(folder)
        return changed

    def _path(self, bucket: str, key: str) -> str:
        return f"{self.root}/{check_bucket(bucket)}/{object_path(key)}"

    def _regular(self, bucket: str, key: str, status: os.stat_result) -> FileObject:
        if not stat.S_ISREG(status.st_mode):
            raise Unavailable(f"{bucket}/{key} is no regular file in {self.root}")
        return self._described(bucket, key, status)

    def _described(self, bucket: str, key: str, status: os.stat_result) -> FileObject:
        version = version_of(status.st_mtime_ns, status.st_size)
        modified = datetime.fromtimestamp(status.st_mtime_ns / 1e9, UTC)
        return FileObject(bucket, key, status.st_size, version, modified, self._read_attributes(bucket, key, version))

    def _attributes_path(self, bucket: str, key: str, version: str) -> str:
        return f"{self.root}/{bucket}/{ATTRIBUTES}/{attributes_file(key, version)}"

    def _read_attributes(self, bucket: str, key: str, version: str) -> Attributes:
        try:
            descriptor = os.open(self._attributes_path(bucket, key, version), _OPEN_READ)
        except _ABSENT:
            return NONE
        with open(descriptor, "rb") as file:
            return Attributes.decode(file.read(), f"{bucket}/{key}")

    def _write_attributes(self, bucket: str, key: str, version: str, attributes: Attributes) -> list[str]:
        draft = self.new_draft()
        try:
            draft.write(attributes.encode())
            draft.seal(self._stamps.next())
            return self.place(draft.path, self._attributes_path(bucket, key, version))
        finally:
            draft.discard()

    def _forget_attributes(self, bucket: str, key: str, version: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._attributes_path(bucket, key, version))

    def _version_at(self, path: str) -> str | None:
        try:
            status = os.lstat(path)
        except _ABSENT:
            return None
        return version_of(status.st_mtime_ns, status.st_size)

    def _make_folder(self, folder: str) -> list[str]:
        """Make a folder and those above it that are missing; return the ones to flush."""
        missing = []
        while not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for name in reversed(missing):
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                os.mkdir(name, 0o700)
        return [os.path.dirname(name) for name in missing]

    def _prune(self, folder: str, top: str) -> str:
        while folder != top:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                pass  # somebody else was faster
            except OSError:
                break  # it holds something
            folder = os.path.dirname(folder)
        return folder

    def _remove_left_overs(self) -> None:
        oldest = time.time() - _LEFT_OVER.total_seconds()
        with os.scandir(self._temporary) as entries:
            for entry in entries:
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    os.unlink(entry.path)

    @contextlib.contextmanager
    def translated(self, name: str) -> Iterator[None]:
        """Translate errors of the file system.

        :param name: what is being worked on
        :raises StoreFull: if there is no room
        :raises Unavailable: for every other error
        """
        try:
            yield
        except OSError as error:
            raise self._translate(error, name) from error

    def _translate(self, error: OSError, name: str) -> Unavailable:
        if error.errno == errno.ELOOP:
            return Unavailable(f"{name} is a link in {self.root}, not a file")
        if error.errno in _FULL:
            return StoreFull(f"no room for {name} in {self.root}: {error.strerror}; free some space there")
        return Unavailable(f"{name} in {self.root}: {error.strerror}")


def _is_later_or_same(path: str, record: Record) -> bool:
    """Tell whether there is a later version than the record's, or the same one with all its bytes."""
    try:
        descriptor = os.open(path, _OPEN_READ)
    except _ABSENT:
        return False
    with open(descriptor, "rb") as file:
        stamp = os.fstat(descriptor).st_mtime_ns
        return stamp > record.stamp or (stamp == record.stamp and file.read(len(record.data) + 1) == record.data)
