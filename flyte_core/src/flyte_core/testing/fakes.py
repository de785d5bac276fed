"""Fakes of the ports, in this process: they keep the ports' contracts and nothing outlives them."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import itertools
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from flyte_core.clock import Clock, SystemClock
from flyte_core.errors import InvalidInput, NotFound, TooLarge
from flyte_core.events import RecordedEvent
from flyte_core.notifications import EndNotice
from flyte_core.storage import BlobInfo, SignedUrl
from flyte_core.testing.memory_cluster import MemoryCluster

__all__ = ["ManualClock", "MemoryCluster", "MemoryStore", "RecordingNotifier", "RecordingSink"]


class _Blob(NamedTuple):
    data: bytes
    info: BlobInfo


class MemoryStore:
    """A :class:`flyte_core.storage.BlobStore` in this process.

    Its signed URLs name the object and its conditions, but nothing answers there.

    :param prefix: what the URIs of this store start with
    """

    def __init__(self, prefix: str = "mem://", *, clock: Clock | None = None) -> None:
        self._prefix = prefix
        self._clock = clock or SystemClock()
        self._blobs: dict[str, _Blob] = {}

    def owns(self, uri: str) -> bool:
        """Tell whether the URI starts with this store's prefix."""
        return uri.startswith(self._prefix)

    async def read(self, uri: str, *, limit: int | None = None) -> bytes:
        """See :meth:`flyte_core.storage.BlobStore.read`."""
        self._check(uri)
        blob = self._blobs.get(uri)
        if blob is None:
            raise NotFound(f"{uri} does not exist")
        if limit is not None and len(blob.data) > limit:
            raise TooLarge(f"{uri} has {len(blob.data)} bytes, the limit is {limit}")
        return blob.data

    async def write(self, uri: str, data: bytes, *, metadata: dict[str, str] | None = None) -> None:
        """See :meth:`flyte_core.storage.BlobStore.write`."""
        self._check(uri)
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        lowered = {key.lower(): value for key, value in (metadata or {}).items()}
        self._blobs[uri] = _Blob(bytes(data), BlobInfo(uri, len(data), etag, self._clock.now(), lowered))

    async def stat(self, uri: str) -> BlobInfo | None:
        """See :meth:`flyte_core.storage.BlobStore.stat`."""
        self._check(uri)
        blob = self._blobs.get(uri)
        return blob.info if blob else None

    async def delete(self, uri: str) -> None:
        """See :meth:`flyte_core.storage.BlobStore.delete`."""
        self._check(uri)
        self._blobs.pop(uri, None)

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """See :meth:`flyte_core.storage.BlobStore.list`."""
        self._check(prefix)
        for uri in sorted(uri for uri in self._blobs if uri.startswith(prefix)):
            yield self._blobs[uri].info

    async def sign_upload(
        self,
        uri: str,
        *,
        expires: timedelta,
        content_md5: bytes = b"",
        metadata: dict[str, str] | None = None,
    ) -> SignedUrl:
        """See :meth:`flyte_core.storage.BlobStore.sign_upload`."""
        self._check(uri)
        headers = {f"x-amz-meta-{key.lower()}": value for key, value in (metadata or {}).items()}
        return self._signed("PUT", uri, expires, headers)

    async def sign_download(self, uri: str, *, expires: timedelta) -> SignedUrl:
        """See :meth:`flyte_core.storage.BlobStore.sign_download`."""
        self._check(uri)
        return self._signed("GET", uri, expires, {})

    def _signed(self, method: str, uri: str, expires: timedelta, headers: dict[str, str]) -> SignedUrl:
        url = f"http://store.invalid/{method}/{quote(uri, safe='')}"
        return SignedUrl(url, headers, self._clock.now() + expires)

    def _check(self, uri: str) -> None:
        if not self.owns(uri):
            raise InvalidInput(f"{uri[:256]!r} is not in this store, whose URIs start with {self._prefix!r}")


class RecordingSink:
    """An :class:`flyte_core.events.EventSink` that keeps what it gets.

    :param failures: raised by the first calls, one each, before anything is kept
    :ivar events: the events taken, in order, repeats included
    """

    def __init__(self, name: str = "recording", *, failures: Iterable[Exception] = ()) -> None:
        self.name = name
        self.events: list[RecordedEvent] = []
        self._failures = list(failures)

    async def publish(self, event: RecordedEvent) -> None:
        """Keep the event, or raise the next failure."""
        if self._failures:
            raise self._failures.pop(0)
        self.events.append(event)


class RecordingNotifier:
    """A :class:`flyte_core.notifications.Notifier` that keeps what it gets.

    :param failures: raised by the first calls, one each, before anything is kept
    :ivar notices: the messages taken, in order, repeats included
    """

    def __init__(self, *, failures: Iterable[Exception] = ()) -> None:
        self.notices: list[EndNotice] = []
        self._failures = list(failures)

    async def send(self, notice: EndNotice) -> None:
        """Keep the message, or raise the next failure."""
        if self._failures:
            raise self._failures.pop(0)
        self.notices.append(notice)


class ManualClock:
    """A :class:`flyte_core.clock.Clock` that stands still until the test moves it."""

    def __init__(self, start: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """Return the time last set."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has moved the clock that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Move the clock at once and wake the sleepers that are due; they run when the caller next awaits."""
        self._now += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            self._wake_first()

    async def run_for(self, seconds: float) -> None:
        """Let that much time pass, each sleeper waking at its own moment and getting its turn before the next."""
        end = self._now + timedelta(seconds=seconds)
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now = max(self._now, self._sleepers[0][0])
            self._wake_first()
            await _settle()
        self._now = end

    def _wake_first(self) -> None:
        _, _, future = heapq.heappop(self._sleepers)
        if not future.done():
            future.set_result(None)


async def _settle() -> None:
    """Give every ready task several turns, enough for a short chain of awaits."""
    for _ in range(10):
        await asyncio.sleep(0)
