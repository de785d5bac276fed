"""The embedded cluster's file: what outlives a process, and what a failing disk does."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from pathlib import Path

import pytest

from flyte_core.cluster import POD, Kind
from flyte_core.errors import ConfigError, Conflict, Unavailable
from flyte_core.testing.fakes import MemoryStore
from flyte_propeller.adapters.embedded import EmbeddedCluster
from flyte_propeller.adapters.embedded.journal import Journal, ObjectKey, Transaction, Write
from flyte_propeller.adapters.embedded.object_store import ObjectStore

BOX = Kind("example.com/v1", "Box", "boxes")


def box(name: str, **metadata: object) -> dict[str, object]:
    return {"apiVersion": BOX.api_version, "kind": "Box", "metadata": {"namespace": "ns", "name": name, **metadata}}


async def test_objects_owners_and_versions_outlive_the_process(tmp_path):
    first = ObjectStore(tmp_path / "o.db")
    owner = await first.create(box("a"))
    await first.create(box("child", ownerReferences=[{"uid": owner["metadata"]["uid"]}]))
    changed = await first.replace({**owner, "spec": {"x": "ä"}, "status": {"n": [1, None]}})
    await first.create(box("gone"))
    await first.delete(BOX, "ns", "gone")
    last = (await first.list(BOX)).resource_version
    first.close()

    second = ObjectStore(tmp_path / "o.db")
    assert await second.get(BOX, "ns", "a") == changed
    assert (await second.list(BOX)).resource_version == last
    assert await second.get(BOX, "ns", "gone") is None
    with pytest.raises(Conflict, match="list again"):
        await anext(second.watch(BOX, since=str(int(last) - 1)))
    assert int((await second.create(box("b")))["metadata"]["resourceVersion"]) > int(last)
    await second.delete(BOX, "ns", "a")
    assert await second.get(BOX, "ns", "child") is None
    second.close()


async def test_what_was_answered_is_in_the_file(tmp_path):
    objects = ObjectStore(tmp_path / "o.db")
    await asyncio.gather(*(objects.create(box(f"b{number}")) for number in range(50)))
    with sqlite3.connect(tmp_path / "o.db") as reader:
        assert reader.execute("SELECT count(*) FROM objects").fetchone() == (50,)
    objects.close()


async def test_an_owner_and_its_dependents_go_together_though_the_caller_gives_up(tmp_path):
    objects = ObjectStore(tmp_path / "o.db")
    owner = await objects.create(box("a"))
    for number in range(20):
        await objects.create(box(f"child{number}", ownerReferences=[{"uid": owner["metadata"]["uid"]}]))
    deletion = asyncio.create_task(objects.delete(BOX, "ns", "a"))
    await asyncio.sleep(0)
    deletion.cancel()
    assert (await objects.list(BOX)).items == ()
    objects.close()
    again = ObjectStore(tmp_path / "o.db")
    assert (await again.list(BOX)).items == ()
    again.close()


async def test_an_object_whose_owner_is_gone_does_not_stay(tmp_path):
    objects = ObjectStore(tmp_path / "o.db")
    await objects.create(box("late", ownerReferences=[{"uid": "of-nobody"}]))
    assert await objects.get(BOX, "ns", "late") is None
    objects.close()


async def test_a_failing_file_stops_the_cluster_and_watches_learn_of_it(tmp_path):
    objects = ObjectStore(tmp_path / "o.db")
    await objects.create(box("before"))
    watching = asyncio.ensure_future(anext(objects.watch(BOX, since=(await objects.list(BOX)).resource_version)))
    await asyncio.sleep(0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # stands for a full disk
    try:
        answers = await asyncio.gather(
            *(objects.create({**box(f"b{number}"), "spec": "x" * 9000}) for number in range(3)), return_exceptions=True
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    with pytest.raises(Unavailable):
        await asyncio.wait_for(watching, 5)
    with pytest.raises(Unavailable, match="cannot be written"):
        await objects.get(BOX, "ns", "before")
    objects.close()
    again = ObjectStore(tmp_path / "o.db")
    assert [item["metadata"]["name"] for item in (await again.list(BOX)).items] == ["before"]
    again.close()


async def test_history_is_bounded_in_bytes(tmp_path):
    objects = ObjectStore(tmp_path / "o.db", largest_history=10_000)
    since = (await objects.list(BOX)).resource_version
    await objects.create({**box("a"), "spec": "x" * 20_000})
    await objects.create(box("b"))
    with pytest.raises(Conflict, match="list again"):
        await anext(objects.watch(BOX, since=since))
    objects.close()


async def test_a_folder_is_open_once(tmp_path):
    first = await EmbeddedCluster.open(tmp_path / "c", store=MemoryStore())
    with pytest.raises(ConfigError, match=r"in use by process .*--data"):
        await EmbeddedCluster.open(tmp_path / "c", store=MemoryStore())
    await first.close()
    second = await EmbeddedCluster.open(tmp_path / "c", store=MemoryStore())
    await second.close()


async def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "cluster.db").write_bytes(b"not a database" * 100)
    with pytest.raises(Unavailable, match=r"cluster\.db"):
        await EmbeddedCluster.open(folder, store=MemoryStore())
    Path(folder / "cluster.db").unlink()
    opened = await EmbeddedCluster.open(folder, store=MemoryStore())
    assert (await opened.list(POD)).items == ()
    await opened.close()


async def test_nothing_is_written_on_top_of_a_write_that_failed(tmp_path):
    journal = Journal(tmp_path / "o.db")
    loop = asyncio.get_running_loop()
    outcomes = []
    for version, metadata in ((1, object()), (2, b"{}")):  # the first cannot be written
        key = ObjectKey("v1", "Box", "ns", f"b{version}")
        write = Write(key, version, metadata, None, b"{}")
        transaction = Transaction([write], synced=True, done=loop.create_future())
        journal.put(transaction)
        outcomes.append((await asyncio.gather(transaction.done, return_exceptions=True))[0])
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    assert list(journal.load()) == []
    journal.close()
