"""The object store over files: what it keeps, how it names it, and what it refuses."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyte_core import builtin
from flyte_core.builtin.file_names import object_path
from flyte_core.builtin.file_store import FileStore
from flyte_core.builtin.s3_signing import Credentials, S3Signer
from flyte_core.errors import ConfigError, InvalidInput, NotFound, TooLarge, Unavailable, Unimplemented
from flyte_core.hookspecs import StorageContext
from flyte_core.plugins import PluginManager

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), max_size=40)
KEYS = st.lists(
    st.one_of(NAMES, st.sampled_from(["a", "a.b", "", "%", "%%", "%+", "x" * 255, "ü" * 130, "%tmp", "A=="])),
    min_size=1,
    max_size=4,
).map("/".join)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


def files(store: FileStore) -> list[str]:
    """All files below the root, names relative to it, but for the store's own folders and its journal."""
    found = [path for path in store.tree.root.rglob("*") if path.is_file() and path.suffix != ".wal"]
    return sorted(str(path.relative_to(store.tree.root)) for path in found)


async def listed(store: FileStore, prefix: str = "s3://flyte") -> list[str]:
    return [info.uri async for info in store.list(prefix)]


async def test_what_was_written_is_read_and_described(store: FileStore) -> None:
    await store.write("s3://flyte/a/outputs.pb", b"data", metadata={"Owner": "me"})
    assert await store.read("s3://flyte/a/outputs.pb", limit=4) == b"data"
    info = await store.stat("s3://flyte/a/outputs.pb")
    assert info is not None
    assert (info.size, info.metadata) == (4, {"owner": "me"})


async def test_an_object_lies_under_its_own_name(store: FileStore) -> None:
    await store.write("s3://flyte/metadata/propeller/p-d-x/n0/data/0/outputs.pb", b"1")
    assert files(store) == ["flyte/metadata/propeller/p-d-x/n0/data/0/outputs.pb"]


async def test_an_object_and_a_folder_may_share_a_name(store: FileStore) -> None:
    keys = ["a", "a/b", "a/b/c.d", "a/b/c.d/e", "a//b", "a/", "a.b/", "a.b", "a!", "a0"]
    for key in keys:
        await store.write(f"s3://flyte/{key}", key.encode())
    assert await listed(store) == sorted(f"s3://flyte/{key}" for key in keys)
    for key in keys:
        assert await store.read(f"s3://flyte/{key}") == key.encode()


async def test_large_objects_are_whole(store: FileStore) -> None:
    data = os.urandom(3 * 1024 * 1024 + 1)
    await store.write("s3://flyte/large.bin", data)
    assert await store.read("s3://flyte/large.bin") == data


async def test_an_overwrite_replaces_content_metadata_and_etag(store: FileStore) -> None:
    await store.write("s3://flyte/k.pb", b"1", metadata={"a": "b"})
    first = await store.stat("s3://flyte/k.pb")
    await store.write("s3://flyte/k.pb", b"2")
    second = await store.stat("s3://flyte/k.pb")
    assert first is not None
    assert second is not None
    assert (second.metadata, await store.read("s3://flyte/k.pb")) == ({}, b"2")
    assert first.etag != second.etag
    assert files(store) == ["flyte/k.pb"]


async def test_many_overwrites_at_once_leave_one_whole_version(store: FileStore) -> None:
    versions = [bytes([n]) * 10_000 for n in range(20)]
    writes = [store.write("s3://flyte/k.pb", data, metadata={"n": str(data[0])}) for data in versions]
    await asyncio.gather(*writes)
    info = await store.stat("s3://flyte/k.pb")
    data = await store.read("s3://flyte/k.pb")
    assert info is not None
    assert data in versions
    assert info.metadata == {"n": str(data[0])}


async def test_a_deleted_object_leaves_nothing(store: FileStore) -> None:
    await store.write("s3://flyte/a/b/c.pb", b"1", metadata={"a": "b"})
    await store.delete("s3://flyte/a/b/c.pb")
    await store.delete("s3://flyte/a/b/c.pb")
    assert files(store) == []
    assert not (store.tree.root / "flyte" / "a").exists()
    assert await store.stat("s3://flyte/a/b/c.pb") is None
    with pytest.raises(NotFound, match=r"a/b/c\.pb does not exist"):
        await store.read("s3://flyte/a/b/c.pb")


async def test_writes_and_deletes_in_one_folder_do_not_disturb_each_other(store: FileStore) -> None:
    async def cycle(name: str) -> None:
        for _ in range(30):
            await store.write(f"s3://flyte/x/y/{name}", b"1")
            await store.delete(f"s3://flyte/x/y/{name}")

    await asyncio.gather(*(cycle(str(n)) for n in range(4)))
    assert await listed(store) == []


async def test_a_list_is_bounded_by_its_prefix(store: FileStore) -> None:
    for key in ["a/1", "a/2", "ab/1", "b"]:
        await store.write(f"s3://flyte/{key}", b"")
    assert await listed(store, "s3://flyte/a") == ["s3://flyte/a/1", "s3://flyte/a/2", "s3://flyte/ab/1"]
    assert await listed(store, "s3://flyte/a/") == ["s3://flyte/a/1", "s3://flyte/a/2"]
    assert await listed(store, "s3://flyte/a/2") == ["s3://flyte/a/2"]
    assert await listed(store, "s3://flyte/c/d") == []


async def test_a_list_is_whole_when_it_needs_several_batches(store: FileStore) -> None:
    uris = [f"s3://flyte/n/{n:04}.pb" for n in range(501)]
    await asyncio.gather(*(store.write(uri, b"") for uri in uris))
    assert await listed(store) == uris


async def test_a_file_that_somebody_else_put_there_is_no_object(store: FileStore) -> None:
    await store.write("s3://flyte/a.pb", b"")
    (store.tree.root / "flyte" / "stranger").write_bytes(b"")
    (store.tree.root / "flyte" / "%2g.pb").write_bytes(b"")
    assert await listed(store) == ["s3://flyte/a.pb"]


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
async def test_nothing_but_regular_files_is_read(store: FileStore, what: str) -> None:
    path = store.tree.root / "flyte" / "k.pb"
    if what == "link":
        path.symlink_to("/etc/hostname")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(Unavailable, match=r"flyte/k\.pb is"):
        await store.read("s3://flyte/k.pb")


async def test_a_folder_behind_a_link_is_not_listed(store: FileStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.pb").write_bytes(b"")
    (store.tree.root / "flyte" / "in").symlink_to(tmp_path / "outside")
    assert await listed(store) == []


@pytest.mark.parametrize(
    "uri",
    [
        "s3://flyte/../x",
        "s3://flyte/a/./b",
        "s3://flyte/a\0b",
        "s3://flyte/",
        "s3://flyte",
        "s3://flyte/" + "x" * 1025,
        "s3://flyte/\ud800",
        "s3://flytex/a",
        "s3://other/a",
        "file:///etc/passwd",
        "/etc/passwd",
        "",
    ],
)
async def test_uris_that_are_no_keys_of_this_store_are_refused(store: FileStore, uri: str) -> None:
    for call in (store.read(uri), store.write(uri, b""), store.stat(uri), store.delete(uri)):
        with pytest.raises(InvalidInput):
            await call
    assert files(store) == []


@settings(max_examples=100, deadline=None)
@given(st.sets(KEYS, min_size=1, max_size=8))
def test_every_key_has_a_file_of_its_own_inside_the_root_and_is_found_again(keys: set[str]) -> None:
    async def check() -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = FileStore(Path(folder) / "store")
            taken = set()
            for key in keys:
                try:
                    await store.write(f"s3://flyte/{key}", key.encode())
                except InvalidInput:
                    continue
                taken.add(key)
                path = store.tree.root / "flyte" / object_path(key)
                assert path.is_file()
                assert path.resolve() == path
                assert all(len(os.fsencode(part)) <= 255 for part in path.parts)
            expected = sorted((f"s3://flyte/{key}" for key in taken), key=str.encode)
            assert await listed(store) == expected
            for key in taken:
                assert await store.read(f"s3://flyte/{key}") == key.encode()
            store.close()
            assert os.listdir(folder) == ["store"]

    asyncio.run(check())


def test_the_root_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    store = FileStore(tmp_path / "store")
    asyncio.run(store.write("s3://flyte/a.pb", b""))
    assert oct((tmp_path / "store").stat().st_mode & 0o777) == "0o700"
    assert oct((tmp_path / "store" / "flyte" / "a.pb").stat().st_mode & 0o777) == "0o600"


def test_what_was_written_is_there_for_the_next_process(tmp_path: Path) -> None:
    asyncio.run(FileStore(tmp_path).write("s3://flyte/a", b"1", metadata={"k": "v"}))
    info = asyncio.run(FileStore(tmp_path).stat("s3://flyte/a"))
    assert info is not None
    assert info.metadata == {"k": "v"}


def test_old_drafts_are_swept_and_young_ones_are_left(tmp_path: Path) -> None:
    tree = FileStore(tmp_path).tree
    old, young = tree.new_draft(), tree.new_draft()
    os.utime(old.path, (0, 0))
    FileStore(tmp_path)
    assert not os.path.exists(old.path)
    assert os.path.exists(young.path)


async def test_an_object_above_the_limit_is_not_read(store: FileStore) -> None:
    await store.write("s3://flyte/a.pb", b"12345")
    with pytest.raises(TooLarge, match=r"a\.pb has 5 bytes, the limit is 4"):
        await store.read("s3://flyte/a.pb", limit=4)


FULL_DISK = """
    import asyncio, os, sys
    from pathlib import Path
    from flyte_core.builtin.file_store import FileStore
    from flyte_core.builtin.file_tree import StoreFull

    root = Path(sys.argv[1])
    store = FileStore(root)
    uri = "s3://flyte/a/k.pb"
    asyncio.run(store.write(uri, b"old"))
    try:
        asyncio.run(store.write(uri, bytes(8 << 20), metadata={"new": "yes"}))
    except StoreFull as error:
        print(error)
    else:
        sys.exit("it was written")
    try:
        asyncio.run(store.write("s3://flyte/b/c/other.pb", bytes(8 << 20)))
    except StoreFull:
        pass
    assert asyncio.run(store.read(uri)) == b"old"
    assert asyncio.run(store.stat(uri)).metadata == {}
    asyncio.run(store.write(uri, b"new"))
    found = [p for p in root.rglob("*") if p.is_file() and p.suffix != ".wal"]
    assert [str(p.relative_to(root)) for p in found] == ["flyte/a/k.pb"]
"""


def test_a_full_disk_is_an_error_with_the_place_and_leaves_nothing(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" -c "$3" "$1"'
    probe = subprocess.run(["unshare", "-Urm", "true"], check=False, capture_output=True)
    if probe.returncode:
        script = 'ulimit -f 2048 && exec "$2" -c "$3" "$1"'  # no file above 2 MiB: the nearest thing without mounts
    command = ["unshare", "-Urm"] if not probe.returncode else []
    command += ["sh", "-c", script, "sh", str(tmp_path), sys.executable, textwrap.dedent(FULL_DISK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"no room for flyte/a/k.pb in {tmp_path}" in done.stdout


async def test_there_is_no_signed_url_without_an_endpoint(store: FileStore) -> None:
    with pytest.raises(Unimplemented, match="no endpoint"):
        await store.sign_download("s3://flyte/a", expires=timedelta(minutes=1))


async def test_a_signed_upload_names_its_conditions(tmp_path: Path) -> None:
    signer = S3Signer("http://127.0.0.1:9000", Credentials("key", "secret"))
    store = FileStore(tmp_path, signer=signer)
    signed = await store.sign_upload(
        "s3://flyte/a b/c=d", expires=timedelta(minutes=1), content_md5=bytes(16), metadata={"K": "v"}
    )
    assert signed.url.startswith("http://127.0.0.1:9000/flyte/a%20b/c%3Dd?")
    assert signed.headers == {"x-amz-meta-k": "v"}
    assert "X-Amz-SignedHeaders=content-md5%3Bhost%3Bx-amz-meta-k&" in signed.url
    assert "secret" not in repr(signer)


@pytest.mark.parametrize("seconds", [-1, 0, 0.5, 8 * 24 * 3600])
async def test_a_signed_url_is_valid_for_a_second_to_a_week(tmp_path: Path, seconds: float) -> None:
    store = FileStore(tmp_path, signer=S3Signer("http://127.0.0.1:9000", Credentials("key", "secret")))
    with pytest.raises(InvalidInput, match="1 second to 7 days"):
        await store.sign_download("s3://flyte/a", expires=timedelta(seconds=seconds))


@pytest.mark.parametrize("prefix", ["flyte", "s3://", "s3://UPPER", "s3://a/b"])
def test_a_malformed_prefix_is_an_error_of_configuration(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ConfigError, match="storage prefix"):
        FileStore(tmp_path, prefix)


def test_a_root_that_is_a_file_is_an_error_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="file, cannot be used"):
        FileStore(tmp_path / "file")


async def test_the_scheme_file_is_served_through_the_hook(tmp_path: Path) -> None:
    ctx = StorageContext(scheme="file", config={"root": str(tmp_path), "buckets": ["data"]})
    store = PluginManager.scan({"file": ctx.config}).storage("file")
    await store.write("file://data/a.pb", b"1")
    assert (tmp_path / "data" / "a.pb").read_bytes() == b"1"
    assert builtin.flyte_storage(StorageContext(scheme="s3", config=ctx.config)) is None
    with pytest.raises(ConfigError, match=r"plugins\.file\.root"):
        builtin.flyte_storage(StorageContext(scheme="file"))
