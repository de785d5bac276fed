"""What the file store makes again from its journal after a kill or a power cut."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from flyte_core.builtin.file_store import FileStore
from flyte_core.builtin.journal import JOURNAL, Record, decode, outstanding
from flyte_core.errors import Unavailable

URI = "s3://flyte/a/b/k.pb"


def power_cut(root: Path, copy: Path) -> Path:
    """Return a copy of the store as a power cut may leave it: every unflushed file empty, its name there or not."""
    shutil.copytree(root, copy)
    for path in (copy / "flyte").rglob("*"):
        if path.is_file():
            stamp = path.stat().st_mtime_ns
            path.write_bytes(b"")
            os.utime(path, ns=(stamp, stamp))
    return copy


def read(root: Path, uri: str = URI) -> bytes | None:
    """Return the object as the next process finds it."""
    store = FileStore(root)
    try:
        return asyncio.run(store.read(uri)) if asyncio.run(store.stat(uri)) else None
    finally:
        store.close()


@pytest.mark.parametrize("names_kept", [True, False])
async def test_what_was_acknowledged_outlives_a_power_cut(tmp_path: Path, names_kept: bool) -> None:
    store = FileStore(tmp_path / "store")
    await asyncio.gather(*(store.write(f"s3://flyte/x{n}/k", bytes([n])) for n in range(20)))
    await store.write(URI, b"old")
    await store.write(URI, b"new")
    copy = power_cut(tmp_path / "store", tmp_path / "copy")
    if not names_kept:
        shutil.rmtree(copy / "flyte")
    assert await asyncio.to_thread(read, copy) == b"new"
    assert await asyncio.to_thread(read, copy, "s3://flyte/x7/k") == b"\x07"


async def test_a_removed_object_does_not_come_back(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    await store.write(URI, b"1")
    await store.delete(URI)
    assert await asyncio.to_thread(read, power_cut(tmp_path / "store", tmp_path / "gone")) is None
    await store.write(URI, b"2")
    assert await asyncio.to_thread(read, power_cut(tmp_path / "store", tmp_path / "again")) == b"2"


async def test_a_later_version_that_was_flushed_by_itself_stays(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    await store.write(URI, b"small")
    await store.write(URI, b"x" * 1_000_000)
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    assert await asyncio.to_thread(read, tmp_path / "copy") == b"x" * 1_000_000


async def test_a_journal_in_use_is_left_alone(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    await store.write(URI, b"1")
    FileStore(tmp_path / "store").close()
    assert len(list((tmp_path / "store" / JOURNAL).iterdir())) == 1


async def test_closing_leaves_a_small_journal_and_flushes_a_large_one_to_its_place(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    await store.write(URI, b"1")
    store.close()
    assert len(list((tmp_path / "store" / JOURNAL).iterdir())) == 1
    store = FileStore(tmp_path / "store")
    await asyncio.gather(*(store.write(f"{URI}{n}", b"x" * 60_000) for n in range(10)))
    store.close()
    assert list((tmp_path / "store" / JOURNAL).iterdir()) == []
    with pytest.raises(Unavailable, match="closed"):
        await store.write(URI, b"2")


async def test_an_object_of_an_earlier_process_that_is_removed_does_not_come_back(tmp_path: Path) -> None:
    first = FileStore(tmp_path / "store")
    await first.write(URI, b"1")
    first.close()
    second = FileStore(tmp_path / "store")
    await second.delete(URI)
    second.close()
    assert await asyncio.to_thread(read, tmp_path / "store") is None


WRITER = """
    import asyncio, sys
    from pathlib import Path
    from flyte_core.builtin.file_store import FileStore

    async def one(store, client):
        for n in range(100_000):
            await store.write(f"s3://flyte/c{client}/n{n}/k", b"%d" % n)
            print(client, n, flush=True)

    async def main():
        store = FileStore(Path(sys.argv[1]))
        await asyncio.gather(*(one(store, client) for client in range(8)))

    asyncio.run(main())
"""


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path / "store")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        time.sleep(0.7)
        writer.send_signal(signal.SIGKILL)
        out, _ = writer.communicate()
    acknowledged = [line.split() for line in out.splitlines(keepends=True) if line.endswith("\n")]
    assert len(acknowledged) > 100
    store = FileStore(tmp_path / "store")
    for client, number in acknowledged:
        assert asyncio.run(store.read(f"s3://flyte/c{client}/n{number}/k")) == number.encode()
    store.close()


def test_an_entry_that_was_not_written_whole_ends_the_journal() -> None:
    first, second = Record("flyte/a", 1, b"1" * 50), Record("flyte/b", 2, b"2" * 50)
    content = first.encode() + second.encode()
    assert list(decode(content)) == [first, second]
    for cut in range(1, len(second.encode())):
        assert list(decode(content[:-cut])) == [first]
    assert list(decode(content[:-1] + b"x")) == [first]


def test_only_the_last_version_that_came_to_something_is_outstanding() -> None:
    written = [Record("flyte/a", stamp, b"%d" % stamp) for stamp in (1, 2, 3)]
    assert outstanding(written)["flyte/a"].stamp == 3
    assert outstanding([*written, Record.void("flyte/a", 3)])["flyte/a"].stamp == 2
    assert outstanding([*written, Record.removed("flyte/a", 2)])["flyte/a"].stamp == 3
    assert outstanding([*written, Record.removed("flyte/a", 3)]) == {}
