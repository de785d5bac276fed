"""Files on their way to a name: written, stamped and flushed to disk before anybody can see them."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterable

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_COPY_BYTES = 1 << 20


class Draft:
    """A temporary file that becomes an object, or vanishes. Not for use by two threads at once.

    :ivar size: bytes written so far
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.size = 0
        self._descriptor = descriptor

    def write(self, data: bytes | memoryview) -> None:
        """Append."""
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]

    def append_from(self, source: int, offset: int, count: int) -> None:
        """Append ``count`` bytes of another open file, from ``offset`` on."""
        while count:
            data = os.pread(source, min(count, _COPY_BYTES), offset)
            if not data:
                raise OSError(errno.EIO, "the source is shorter than it was")
            self.write(data)
            offset += len(data)
            count -= len(data)

    def seal(self, stamp: int) -> str:
        """Give the file its time stamp, flush it to disk, close it, and return its version."""
        os.utime(self._descriptor, ns=(stamp, stamp))
        os.fsync(self._descriptor)
        self._close()
        return version_of(stamp, self.size)

    def stamp(self, stamp: int) -> None:
        """Give the file its time stamp and close it, without flushing it."""
        os.utime(self._descriptor, ns=(stamp, stamp))
        self._close()

    def discard(self) -> None:
        """Remove the file unless it took its name."""
        self._close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


class Stamps:
    """Time stamps in nanoseconds since 1970, each above the one before, from any thread."""

    def __init__(self, now: Callable[[], int] = time.time_ns) -> None:
        self._now = now
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        """Return the time, or one more than the last stamp where the clock stands or went back."""
        with self._lock:
            self._last = max(self._now(), self._last + 1)
            return self._last


def version_of(stamp: int, size: int) -> str:
    """Return the version of data with that time stamp and size."""
    return f"{stamp:x}-{size:x}"


def flush_folders(folders: Iterable[str]) -> None:
    """Make the names in some folders durable; one that is gone again has nothing to flush."""
    for folder in dict.fromkeys(folders):
        try:
            descriptor = os.open(folder, _OPEN_FOLDER)
        except FileNotFoundError:
            continue
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
