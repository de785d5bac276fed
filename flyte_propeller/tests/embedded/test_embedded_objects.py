"""The rules of the Cluster port: the same tests over the embedded cluster's objects and the fake in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from flyte_core.cluster import POD, Cluster, Kind
from flyte_core.errors import AlreadyExists, Conflict, InvalidInput, NotFound, TooLarge
from flyte_core.testing.memory_cluster import MemoryCluster
from flyte_propeller.adapters.embedded.object_store import MAX_BYTES, ObjectStore

BOX = Kind("example.com/v1", "Box", "boxes")


@pytest.fixture(params=["embedded", "memory"])
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    if request.param == "memory":
        yield MemoryCluster(max_bytes=MAX_BYTES, history=50)
        return
    objects = ObjectStore(tmp_path / "o.db", longest_history=50)
    yield objects
    objects.close()


def box(name: str, namespace: str = "ns", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": BOX.api_version,
        "kind": BOX.kind,
        "metadata": {"namespace": namespace, "name": name, **metadata},
        "spec": {"size": 1},
    }


def with_metadata(manifest: Any, **changes: Any) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], **changes}}


async def names(cluster: Cluster, **query: Any) -> list[str]:
    return [item["metadata"]["name"] for item in (await cluster.list(BOX, **query)).items]


async def test_a_created_object_has_an_identity_and_is_stored_as_given(cluster):
    made = await cluster.create(box("a", labels={"x": "y"}))
    assert all(made["metadata"][name] for name in ("uid", "resourceVersion", "creationTimestamp"))
    assert made["spec"] == {"size": 1}
    assert await cluster.get(BOX, "ns", "a") == made
    assert await cluster.get(BOX, "ns", "b") is None


async def test_a_name_is_taken_once_per_namespace(cluster):
    await cluster.create(box("a"))
    await cluster.create(box("a", "other"))
    with pytest.raises(AlreadyExists, match="ns/a"):
        await cluster.create(box("a"))


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a/b", "..", "x" * 254])
async def test_what_is_no_name_is_refused(cluster, name):
    with pytest.raises(InvalidInput):
        await cluster.create(box(name))


async def test_what_is_not_json_is_refused(cluster):
    with pytest.raises(InvalidInput):
        await cluster.create({**box("a"), "spec": {"size": object()}})
    assert await names(cluster) == []


async def test_replace_needs_the_version_that_is_stored(cluster):
    first = await cluster.create(box("a"))
    second = await cluster.replace({**first, "spec": {"size": 2}})
    assert second["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
    with pytest.raises(Conflict):
        await cluster.replace({**first, "spec": {"size": 3}})
    assert (await cluster.get(BOX, "ns", "a"))["spec"] == {"size": 2}


async def test_of_two_writers_at_once_one_wins(cluster):
    stored = await cluster.create(box("a"))
    writes = [cluster.replace({**stored, "spec": {"size": size}}) for size in range(5)]
    answers = await asyncio.gather(*writes, return_exceptions=True)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 4


async def test_replacing_with_what_is_stored_changes_nothing(cluster):
    stored = await cluster.create(box("a"))
    again = await cluster.replace(stored)
    assert again["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]


async def test_replace_does_not_change_what_the_server_owns(cluster):
    stored = await cluster.create(box("a"))
    changed = with_metadata(stored, creationTimestamp="1999", deletionTimestamp="1999", labels={"x": "y"})
    after = (await cluster.replace(changed))["metadata"]
    assert after["creationTimestamp"] == stored["metadata"]["creationTimestamp"]
    assert "deletionTimestamp" not in after
    assert after["labels"] == {"x": "y"}


async def test_replace_of_another_or_no_object_is_refused(cluster):
    stored = await cluster.create(box("a"))
    with pytest.raises(NotFound):
        await cluster.replace(with_metadata(stored, name="b"))
    with pytest.raises(Conflict):
        await cluster.replace(with_metadata(stored, uid="another"))
    with pytest.raises(InvalidInput):
        await cluster.replace(box("a"))


async def test_an_object_over_the_limit_is_refused_and_nothing_is_stored(cluster):
    with pytest.raises(TooLarge):
        await cluster.create({**box("a"), "spec": "x" * MAX_BYTES})
    assert await names(cluster) == []
    assert await cluster.create(box("a"))


async def test_lists_are_by_kind_namespace_and_labels_in_order(cluster):
    await cluster.create(box("b", labels={"tier": "one"}))
    await cluster.create(box("a", labels={"tier": "two"}))
    await cluster.create(box("c", "other", labels={"tier": "one"}))
    await cluster.create({**box("d"), "kind": "Bag"})
    assert await names(cluster) == ["a", "b", "c"]
    assert await names(cluster, namespace="ns") == ["a", "b"]
    assert await names(cluster, labels="tier in (one),tier!=two") == ["b", "c"]
    assert await names(cluster, labels="!tier") == []


async def test_an_object_with_finalizers_stays_until_the_last_is_gone(cluster):
    await cluster.create(box("a", finalizers=["one", "two"]))
    assert await cluster.delete(BOX, "ns", "a")
    held = await cluster.get(BOX, "ns", "a")
    assert held["metadata"]["deletionTimestamp"]
    held = await cluster.replace(with_metadata(held, finalizers=["two"]))
    await cluster.replace(with_metadata(held, finalizers=[]))
    assert await cluster.get(BOX, "ns", "a") is None


async def test_delete_with_another_uid_does_nothing(cluster):
    stored = await cluster.create(box("a"))
    assert not await cluster.delete(BOX, "ns", "a", uid="another")
    assert await cluster.delete(BOX, "ns", "a", uid=stored["metadata"]["uid"])
    assert not await cluster.delete(BOX, "ns", "a")


async def test_a_running_pod_stays_until_it_is_deleted_without_grace(cluster):
    pod = {**box("p"), "apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running"}}
    await cluster.create(pod)
    await cluster.delete(POD, "ns", "p")
    marked = await cluster.get(POD, "ns", "p")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    await cluster.delete(POD, "ns", "p", grace_seconds=3)
    assert (await cluster.get(POD, "ns", "p"))["metadata"]["deletionGracePeriodSeconds"] == 3
    await cluster.delete(POD, "ns", "p", grace_seconds=0)
    assert await cluster.get(POD, "ns", "p") is None


async def test_dependents_go_with_their_last_owner(cluster):
    owners = [{"uid": (await cluster.create(box(name)))["metadata"]["uid"]} for name in "ab"]
    child = await cluster.create(box("child", ownerReferences=owners))
    await cluster.create(box("grandchild", ownerReferences=[{"uid": child["metadata"]["uid"]}]))
    await cluster.create(box("held", ownerReferences=owners, finalizers=["x"]))
    await cluster.delete(BOX, "ns", "a")
    assert await names(cluster) == ["b", "child", "grandchild", "held"]
    await cluster.delete(BOX, "ns", "b")
    assert await names(cluster) == ["held"]


async def test_an_owner_that_is_no_longer_named_takes_nothing_along(cluster):
    owner = await cluster.create(box("a"))
    child = await cluster.create(box("child", ownerReferences=[{"uid": owner["metadata"]["uid"]}]))
    await cluster.replace(with_metadata(child, ownerReferences=[]))
    await cluster.delete(BOX, "ns", "a")
    assert await names(cluster) == ["child"]


async def events(cluster: Cluster, count: int, since: str, **query: Any) -> list[tuple[str, str, Any]]:
    seen: list[tuple[str, str, Any]] = []
    async with asyncio.timeout(10):
        async for event in cluster.watch(BOX, since=since, **query):
            seen.append((event.type, event.object["metadata"]["name"], event.object.get("spec")))
            if len(seen) == count:
                break
    return seen


async def test_a_watch_shows_each_change_once_and_in_order(cluster):
    listing = await cluster.list(BOX)
    watching = asyncio.create_task(events(cluster, 5, listing.resource_version, namespace="ns"))
    a = await cluster.create(box("a"))
    await asyncio.gather(cluster.create(box("b")), cluster.create(box("z", "other")))
    await cluster.create({**box("c"), "kind": "Bag"})
    a = await cluster.replace({**a, "spec": 2})
    await cluster.replace({**a, "spec": 3})
    await cluster.delete(BOX, "ns", "b")
    one = {"size": 1}
    expected = [("ADDED", "a", one), ("ADDED", "b", one), ("MODIFIED", "a", 2), ("MODIFIED", "a", 3)]
    assert await watching == [*expected, ("DELETED", "b", one)]


async def test_what_comes_to_match_a_selector_is_added_and_what_ceases_to_is_deleted(cluster):
    since = (await cluster.list(BOX)).resource_version
    a = await cluster.create(box("a"))
    a = await cluster.replace(with_metadata(a, labels={"on": "yes"}))
    a = await cluster.replace({**a, "spec": 2})
    await cluster.replace(with_metadata(a, labels={}))
    await cluster.delete(BOX, "ns", "a")
    seen = await events(cluster, 3, since, labels="on=yes")
    assert [kind for kind, _, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]


async def test_lists_and_watches_leave_no_gap_while_others_write(cluster):
    async def write(prefix: str) -> None:
        for number in range(12):
            await cluster.create(box(f"{prefix}{number}"))

    writers = asyncio.gather(*(write(prefix) for prefix in "abc"))
    await asyncio.sleep(0.005)
    listing = await cluster.list(BOX)
    known = {item["metadata"]["name"] for item in listing.items}
    await writers
    async with asyncio.timeout(10):
        watch = cluster.watch(BOX, since=listing.resource_version)
        while len(known) < 36:
            known.add((await anext(watch)).object["metadata"]["name"])
    assert known == set(await names(cluster))


async def test_a_watch_from_too_long_ago_must_list_again(cluster):
    since = (await cluster.list(BOX)).resource_version
    for number in range(160):
        await cluster.create(box(f"b{number}"))
    with pytest.raises(Conflict, match="list again"):
        await events(cluster, 1, since)
    since = (await cluster.list(BOX)).resource_version
    await cluster.create(box("last"))
    assert (await events(cluster, 1, since))[0][1] == "last"
