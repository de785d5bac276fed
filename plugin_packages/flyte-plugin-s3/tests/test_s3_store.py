"""The port of object stores, kept by all three that are here: in memory, in files, and in S3 over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from flyte_core.builtin.file_store import FileStore
from flyte_core.clock import SystemClock
from flyte_core.errors import (
    ConfigError,
    FlyteError,
    InvalidInput,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unavailable,
)
from flyte_core.hookspecs import StorageContext
from flyte_core.plugins import PluginManager
from flyte_core.storage import BlobStore
from flyte_core.testing.fakes import MemoryStore
from flyte_plugin_s3 import S3Config, S3Store, plugin
from s3_endpoint import CREDENTIALS, Endpoint, serve

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with serve(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def config(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint": endpoint.url,
        "access_key_id": CREDENTIALS.access_key,
        "secret_access_key": CREDENTIALS.secret_key,
        "attempts": 1,
    }


@pytest.fixture
def s3(config: dict[str, Any]) -> Iterator[S3Store]:
    store = S3Store(S3Config.parse({**config, "prefixes": ["s3://flyte"]}), SystemClock())
    yield store
    store.close()


@pytest.fixture(params=["memory", "files", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "memory":
        return MemoryStore("s3://flyte/")
    if request.param == "files":
        return FileStore(tmp_path)
    s3: S3Store = request.getfixturevalue("s3")
    return s3


@pytest.fixture
def folder() -> str:
    """A prefix of this test's own."""
    return f"s3://flyte/{os.urandom(6).hex()}"


async def test_what_is_written_is_read(store: BlobStore, folder: str) -> None:
    for data in (b"", b"data", os.urandom(400_000)):
        await store.write(f"{folder}/ü b=1.bin", data)
        assert await store.read(f"{folder}/ü b=1.bin") == data
        assert await store.read(f"{folder}/ü b=1.bin", limit=len(data)) == data


async def test_an_object_is_described(store: BlobStore, folder: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    await store.write(f"{folder}/a", b"1", metadata={"Some-Key": "Value"})
    info = await store.stat(f"{folder}/a")
    assert info is not None
    assert (info.uri, info.size, info.metadata) == (f"{folder}/a", 1, {"some-key": "Value"})
    assert before <= info.modified <= datetime.now(UTC) + timedelta(seconds=1)
    await store.write(f"{folder}/a", b"2")
    other = await store.stat(f"{folder}/a")
    assert other is not None
    assert (other.metadata, other.etag != info.etag) == ({}, True)


async def test_what_is_missing_is_missing(store: BlobStore, folder: str) -> None:
    assert await store.stat(f"{folder}/none") is None
    with pytest.raises(NotFound, match=r"none does not exist"):
        await store.read(f"{folder}/none")
    await store.delete(f"{folder}/none")
    await store.write(f"{folder}/some", b"1")
    await store.delete(f"{folder}/some")
    assert await store.stat(f"{folder}/some") is None


async def test_too_much_is_not_read(store: BlobStore, folder: str) -> None:
    await store.write(f"{folder}/a", b"12345")
    with pytest.raises(TooLarge, match=r"/a has 5 bytes, the limit is 4"):
        await store.read(f"{folder}/a", limit=4)


async def test_a_list_is_in_order_and_bounded(store: BlobStore, folder: str) -> None:
    names = ["a", "a/1", "a/2", "ab", "b/ü", "b z"]
    for name in reversed(names):
        await store.write(f"{folder}/{name}", name.encode())

    async def listed(prefix: str) -> list[str]:
        return [info.uri async for info in store.list(prefix)]

    assert await listed(f"{folder}/") == sorted((f"{folder}/{name}" for name in names), key=str.encode)
    assert await listed(f"{folder}/a/") == [f"{folder}/a/1", f"{folder}/a/2"]
    assert await listed(f"{folder}/a") == [f"{folder}/{name}" for name in ("a", "a/1", "a/2", "ab")]
    assert await listed(f"{folder}/none") == []
    infos = [info async for info in store.list(f"{folder}/ab")]
    stat = await store.stat(f"{folder}/ab")
    assert stat is not None
    assert [(info.size, info.etag) for info in infos] == [(2, stat.etag)]


async def test_foreign_uris_are_refused(store: BlobStore) -> None:
    calls: list[Callable[[str], Any]] = [
        store.read,
        store.stat,
        store.delete,
        lambda uri: store.write(uri, b""),
        lambda uri: store.sign_upload(uri, expires=MINUTE),
    ]
    for uri in ("s3://other/a", "s3://flytex/a", "file:///etc/passwd", "/etc/passwd", ""):
        assert not store.owns(uri)
        for call in calls:
            with pytest.raises(FlyteError) as error:
                await call(uri)
            assert type(error.value) in {InvalidInput}, uri


async def test_a_list_longer_than_a_page_is_whole(s3: S3Store, endpoint: Endpoint, folder: str) -> None:
    uris = [f"{folder}/{number:04}" for number in range(1001)]
    for uri in uris:
        endpoint.store.tree.write("flyte", uri.removeprefix("s3://flyte/"), b"")
    assert [info.uri async for info in s3.list(folder)] == uris


async def test_a_signed_upload_takes_that_content_with_that_metadata(s3: S3Store, folder: str) -> None:
    md5 = hashlib.md5(b"data").digest()
    uri = f"{folder}/ü b"
    signed = await s3.sign_upload(uri, expires=MINUTE, content_md5=md5, metadata={"flyteContentMD5": "x"})
    assert MINUTE - timedelta(seconds=5) < signed.expires_at - datetime.now(UTC) <= MINUTE
    headers = {"Content-MD5": base64.b64encode(md5).decode(), **signed.headers}
    assert httpx.put(signed.url, content=b"evil", headers=headers).status_code == 400
    assert httpx.put(signed.url, content=b"data", headers=signed.headers).status_code == 403
    assert httpx.put(signed.url, content=b"data", headers=headers).status_code == 200
    info = await s3.stat(uri)
    assert info is not None
    assert info.metadata == {"flytecontentmd5": "x"}
    download = await s3.sign_download(uri, expires=MINUTE)
    assert httpx.get(download.url).content == b"data"
    with pytest.raises(InvalidInput, match="1 second to 7 days"):
        await s3.sign_download(uri, expires=timedelta(days=8))


async def test_signed_urls_name_the_endpoint_for_clients(config: dict[str, Any]) -> None:
    store = S3Store(S3Config.parse({**config, "signing_endpoint": "https://files.example.org"}), SystemClock())
    signed = await store.sign_download("s3://flyte/a", expires=MINUTE)
    assert signed.url.startswith("https://files.example.org/flyte/a?")
    store.close()


async def test_errors_of_the_service_are_translated(config: dict[str, Any], folder: str) -> None:
    async def fails(uri: str, **changed: Any) -> FlyteError:
        store = S3Store(S3Config.parse({**config, **changed}), SystemClock())
        with pytest.raises(FlyteError) as error:
            await store.read(uri)
        store.close()
        return error.value

    wrong = await fails(f"{folder}/a", secret_access_key="wrong")
    assert isinstance(wrong, PermissionDenied)
    assert "SignatureDoesNotMatch" in str(wrong)
    assert "no such bucket" in str(await fails("s3://none/a"))
    assert isinstance(await fails("s3://flyte/../a"), FlyteError)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        gone = await fails("s3://flyte/a", endpoint=f"http://127.0.0.1:{port}")
    assert isinstance(gone, Unavailable)
    assert "does not answer" in str(gone)


async def test_missing_credentials_are_an_error_of_configuration(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = S3Store(S3Config.parse({"endpoint": config["endpoint"]}), SystemClock())
    with pytest.raises(ConfigError, match=r"plugins\.s3\.access_key_id"):
        await store.read("s3://flyte/a")
    store.close()


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"endpiont": "http://x"}, "endpiont is unknown"),
        ({"endpoint": "127.0.0.1:9000"}, "endpoint must be a URL"),
        ({"endpoint": 1}, "endpoint must be a text"),
        ({"access_key_id": "x"}, "secret_access_key go together"),
        ({"attempts": 0}, "attempts must be a number above 0"),
        ({"attempts": 1.5}, "attempts must be a number above 0"),
        ({"read_timeout": True}, "read_timeout must be a number above 0"),
        ({"prefixes": "s3://a"}, "prefixes must be a list"),
        ({"prefixes": ["gs://a"]}, "prefixes must be a list"),
    ],
)
def test_a_wrong_setting_is_named(section: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        S3Config.parse(section)


def test_the_secret_is_not_shown() -> None:
    assert "hidden" not in repr(S3Config.parse({"access_key_id": "key", "secret_access_key": "hidden"}))


async def test_the_plugin_is_found_and_serves_its_scheme(config: dict[str, Any], folder: str) -> None:
    store = PluginManager.scan({"s3": config}).storage("s3")
    await store.write(f"{folder}/a", b"1")
    assert await store.read(f"{folder}/a") == b"1"
    assert plugin.flyte_storage(StorageContext(scheme="gs")) is None


def test_boto3_is_not_loaded_before_an_s3_store_is_asked_for() -> None:
    code = (
        "import sys; from flyte_core.plugins import PluginManager as P; P.scan().why('s3');"
        "print('boto3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
