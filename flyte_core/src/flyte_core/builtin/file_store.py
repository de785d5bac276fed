"""The object store of a laptop: files below one folder, behind the port of every object store."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from flyte_core.builtin.attributes import Attributes
from flyte_core.builtin.file_names import check_bucket, check_key
from flyte_core.builtin.file_tree import FileObject, FileTree
from flyte_core.builtin.s3_signing import S3Signer
from flyte_core.builtin.small_writes import SmallWrites
from flyte_core.clock import Clock, SystemClock
from flyte_core.errors import ConfigError, InvalidInput, NotFound, TooLarge, Unimplemented
from flyte_core.storage import BlobInfo, SignedUrl

P = ParamSpec("P")
T = TypeVar("T")

_SMALL = 256 * 1024
"""Up to this size reading in the event loop (some 10 µs from the page cache) costs less than asking a thread."""
_LIST_BATCH = 500
_READ_BYTES = 1 << 20


class FileStore:
    """A :class:`flyte_core.storage.BlobStore` over files: ``<scheme>://<bucket>/<key>`` lies at ``root/<bucket>/…``.

    Several prefixes with the same bucket name the same objects.

    :param root: made with mode 0700 if missing
    :param prefixes: which URIs are this store's: ``scheme://bucket`` each, or with a part of the key
    :param signer: makes the signed URLs, for an endpoint that serves this store; without one there are none
    :raises ConfigError: if the folder cannot be used, or a prefix is malformed
    """

    def __init__(
        self,
        root: Path,
        prefixes: str | Sequence[str] = "s3://flyte",
        *,
        signer: S3Signer | None = None,
        clock: Clock | None = None,
    ) -> None:
        given = (prefixes,) if isinstance(prefixes, str) else tuple(prefixes)
        self._prefixes = tuple(prefix.rstrip("/") for prefix in given)
        self._starts = tuple(f"{prefix}/" for prefix in self._prefixes)
        self.buckets = tuple(dict.fromkeys(_bucket_of(prefix) for prefix in self._prefixes))
        self.tree = FileTree(root)
        for bucket in self.buckets:
            self.tree.create_bucket(bucket)
        self._signer = signer
        self._clock = clock or SystemClock()
        self._small = SmallWrites(self.tree)
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="file-store")

    def close(self) -> None:
        """Let writes under way end and give the threads back; later calls fail."""
        self._threads.shutdown()
        self._small.close()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work on one of this store's threads.

        When the caller is cancelled this still waits for the work to end, so that nobody closes a file under it.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([future])
            raise

    def owns(self, uri: str) -> bool:
        """Tell whether the URI is below one of the prefixes."""
        return uri.startswith(self._starts) or uri in self._prefixes

    async def read(self, uri: str, *, limit: int | None = None) -> bytes:
        """See :meth:`flyte_core.storage.BlobStore.read`."""
        opened = self.tree.open(*self._locate(uri))
        if opened is None:
            raise NotFound(f"{uri} does not exist")
        descriptor, found = opened
        if limit is not None and found.size > limit:
            os.close(descriptor)
            raise TooLarge(f"{uri} has {found.size} bytes, the limit is {limit}")
        if found.size <= _SMALL:
            return _content(descriptor, found)
        return await self.run(_content, descriptor, found)

    async def write(self, uri: str, data: bytes, *, metadata: dict[str, str] | None = None) -> None:
        """See :meth:`flyte_core.storage.BlobStore.write`.

        :raises flyte_core.builtin.file_tree.StoreFull: if there is no room on the disk
        """
        bucket, key = self._locate(uri)
        if not metadata and self._small.takes(len(data)):
            await self._small.write(bucket, key, data)
            return
        attributes = Attributes(metadata={name.lower(): value for name, value in (metadata or {}).items()})
        await self.run(self.tree.write, bucket, key, data, attributes)

    async def stat(self, uri: str) -> BlobInfo | None:
        """See :meth:`flyte_core.storage.BlobStore.stat`."""
        found = self.tree.stat(*self._locate(uri))
        return _info(uri, found) if found else None

    async def delete(self, uri: str) -> None:
        """See :meth:`flyte_core.storage.BlobStore.delete`."""
        bucket, key = self._locate(uri)
        await self.run(self.tree.remove, bucket, key)

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """See :meth:`flyte_core.storage.BlobStore.list`."""
        bucket, key_prefix = self._split(prefix)
        base = f"{prefix.partition('://')[0]}://{bucket}/"
        found = self.tree.walk(bucket, key_prefix)
        while batch := await self.run(lambda: list(itertools.islice(found, _LIST_BATCH))):
            for item in batch:
                yield _info(base + item.key, item)

    async def sign_upload(
        self,
        uri: str,
        *,
        expires: timedelta,
        content_md5: bytes = b"",
        metadata: dict[str, str] | None = None,
    ) -> SignedUrl:
        """See :meth:`flyte_core.storage.BlobStore.sign_upload`."""
        headers = {f"x-amz-meta-{name.lower()}": value for name, value in (metadata or {}).items()}
        condition = {"content-md5": base64.b64encode(content_md5).decode()} if content_md5 else {}
        return self._signed("PUT", uri, expires, headers, condition)

    async def sign_download(self, uri: str, *, expires: timedelta) -> SignedUrl:
        """See :meth:`flyte_core.storage.BlobStore.sign_download`."""
        return self._signed("GET", uri, expires, {}, {})

    def _signed(
        self, method: str, uri: str, expires: timedelta, headers: dict[str, str], condition: dict[str, str]
    ) -> SignedUrl:
        bucket, key = self._locate(uri)
        if self._signer is None:
            raise Unimplemented(f"no signed URL for {uri}: this store has no endpoint")
        now = self._clock.now()
        url = self._signer.sign(method, f"/{bucket}/{key}", now=now, expires=expires, headers={**headers, **condition})
        return SignedUrl(url, headers, now + expires)

    def _locate(self, uri: str) -> tuple[str, str]:
        bucket, key = self._split(uri)
        return bucket, check_key(key)

    def _split(self, uri: str) -> tuple[str, str]:
        if not self.owns(uri):
            prefixes = " or ".join(self._prefixes)
            raise InvalidInput(f"{uri[:256]!r} is not in this store, whose URIs start with {prefixes}")
        bucket, _, key = uri.partition("://")[2].partition("/")
        return bucket, key


def _bucket_of(prefix: str) -> str:
    scheme, separator, rest = prefix.partition("://")
    if not scheme or not separator:
        raise ConfigError(f"the storage prefix {prefix!r} is no URI such as s3://flyte")
    try:
        return check_bucket(rest.partition("/")[0])
    except InvalidInput as error:
        raise ConfigError(f"the storage prefix {prefix!r}: {error}") from error


def _content(descriptor: int, found: FileObject) -> bytes:
    with open(descriptor, "rb", buffering=0) as file:
        data = file.read(found.size)
        while data is not None and len(data) < found.size:
            more = file.read(min(found.size - len(data), _READ_BYTES))
            if not more:
                break
            data += more
    return data or b""


def _info(uri: str, found: FileObject) -> BlobInfo:
    return BlobInfo(uri, found.size, found.etag, found.modified, dict(found.attributes.metadata))
