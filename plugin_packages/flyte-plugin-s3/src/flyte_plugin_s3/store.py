"""Objects in S3, through boto3 on threads."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from flyte_core.clock import Clock
from flyte_core.errors import InvalidInput, TooLarge
from flyte_core.storage import BlobInfo, SignedUrl
from flyte_plugin_s3.config import S3Config
from flyte_plugin_s3.failures import is_missing, translated

T = TypeVar("T")

_SCHEME = "s3://"
_LONGEST_VALIDITY = timedelta(days=7)


class S3Store:
    """A :class:`flyte_core.storage.BlobStore` over S3.

    A list has no user metadata: S3 tells it of single objects only.
    """

    def __init__(self, config: S3Config, clock: Clock) -> None:
        self._starts = tuple(f"{prefix}/" for prefix in config.prefixes) or (_SCHEME,)
        self._prefixes = config.prefixes
        self._clock = clock
        self._client = _client(config, config.endpoint)
        self._signing = _client(config, config.signing_endpoint) if config.signing_endpoint else self._client
        self._threads = ThreadPoolExecutor(max_workers=config.connections, thread_name_prefix="s3")

    def close(self) -> None:
        """Let requests under way end and give threads and connections back."""
        self._threads.shutdown()
        self._client.close()
        self._signing.close()

    def owns(self, uri: str) -> bool:
        """Tell whether the URI is below one of the configured prefixes."""
        return uri.startswith(self._starts) or uri in self._prefixes

    async def read(self, uri: str, *, limit: int | None = None) -> bytes:
        """See :meth:`flyte_core.storage.BlobStore.read`."""
        bucket, key = self._locate(uri)

        def get() -> bytes:
            found = self._client.get_object(Bucket=bucket, Key=key)
            with found["Body"] as body:
                if limit is not None and found["ContentLength"] > limit:
                    raise TooLarge(f"{uri} has {found['ContentLength']} bytes, the limit is {limit}")
                data: bytes = body.read()
            return data

        return await self._run(uri, get)

    async def write(self, uri: str, data: bytes, *, metadata: dict[str, str] | None = None) -> None:
        """See :meth:`flyte_core.storage.BlobStore.write`."""
        bucket, key = self._locate(uri)

        def put() -> None:
            # Every S3 there is checks an MD5; the newer checksums are not known to all of them.
            digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
            self._client.put_object(
                Bucket=bucket, Key=key, Body=data, ContentMD5=digest, Metadata=_lowered(metadata or {})
            )

        await self._run(uri, put)

    async def stat(self, uri: str) -> BlobInfo | None:
        """See :meth:`flyte_core.storage.BlobStore.stat`."""
        bucket, key = self._locate(uri)

        def head() -> BlobInfo | None:
            try:
                found = self._client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if is_missing(error):
                    return None
                raise
            return _info(uri, found, found["ContentLength"])

        return await self._run(uri, head)

    async def delete(self, uri: str) -> None:
        """See :meth:`flyte_core.storage.BlobStore.delete`."""
        bucket, key = self._locate(uri)
        await self._run(uri, lambda: self._client.delete_object(Bucket=bucket, Key=key))

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """See :meth:`flyte_core.storage.BlobStore.list`."""
        bucket, key_prefix = self._split(prefix)
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key_prefix))
        while (page := await self._run(prefix, lambda: next(pages, None))) is not None:
            for item in page.get("Contents", ()):
                yield _info(f"{_SCHEME}{bucket}/{item['Key']}", item, item["Size"])

    async def sign_upload(
        self,
        uri: str,
        *,
        expires: timedelta,
        content_md5: bytes = b"",
        metadata: dict[str, str] | None = None,
    ) -> SignedUrl:
        """See :meth:`flyte_core.storage.BlobStore.sign_upload`."""
        lowered = _lowered(metadata or {})
        conditions: dict[str, Any] = {"Metadata": lowered} if lowered else {}
        if content_md5:
            conditions["ContentMD5"] = base64.b64encode(content_md5).decode()
        headers = {f"x-amz-meta-{name}": value for name, value in lowered.items()}
        return await self._signed("put_object", uri, expires, conditions, headers)

    async def sign_download(self, uri: str, *, expires: timedelta) -> SignedUrl:
        """See :meth:`flyte_core.storage.BlobStore.sign_download`."""
        return await self._signed("get_object", uri, expires, {}, {})

    async def _signed(
        self, operation: str, uri: str, expires: timedelta, conditions: dict[str, Any], headers: dict[str, str]
    ) -> SignedUrl:
        if not timedelta(seconds=1) <= expires <= _LONGEST_VALIDITY:
            raise InvalidInput(f"a signed URL is valid for 1 second to 7 days, not {expires}", field="expires_in")
        bucket, key = self._locate(uri)
        parameters = {"Bucket": bucket, "Key": key, **conditions}
        seconds = int(expires.total_seconds())
        expires_at = self._clock.now() + expires
        # Credentials of a role may have to be fetched first, so that even this is work for a thread.
        url = await self._run(
            uri, lambda: self._signing.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)
        )
        return SignedUrl(url, headers, expires_at)

    async def _run(self, uri: str, work: Callable[[], T]) -> T:
        with translated(uri):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _locate(self, uri: str) -> tuple[str, str]:
        bucket, key = self._split(uri)
        if not key or "\0" in key:
            raise InvalidInput(f"{uri[:256]!r} names no object: s3://bucket/key does")
        return bucket, key

    def _split(self, uri: str) -> tuple[str, str]:
        bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
        if not self.owns(uri) or not bucket:
            prefixes = " or ".join(self._prefixes) or _SCHEME
            raise InvalidInput(f"{uri[:256]!r} is not in this store, whose URIs start with {prefixes}")
        return bucket, key


def _client(config: S3Config, endpoint: str) -> Any:
    # A session of its own: boto3's default one is shared with the user's code and not safe to set up from two threads.
    session = boto3.session.Session(
        aws_access_key_id=config.access_key_id or None,
        aws_secret_access_key=config.secret_access_key or None,
        region_name=config.region or None,
    )
    options = Config(
        signature_version="s3v4",
        retries={"mode": "standard", "total_max_attempts": config.attempts},
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        max_pool_connections=config.connections,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if endpoint else None,
    )
    region = session.region_name or "us-east-1"
    return session.client("s3", endpoint_url=endpoint or None, region_name=region, config=options)


def _info(uri: str, found: dict[str, Any], size: int) -> BlobInfo:
    metadata = _lowered(found.get("Metadata", {}))
    return BlobInfo(uri, size, found["ETag"].strip('"'), found["LastModified"], metadata)


def _lowered(metadata: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in metadata.items()}
