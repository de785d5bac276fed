"""The shipped fakes keep the contracts of their ports."""

import asyncio
from datetime import UTC, datetime

import pytest

from flyte_core.cluster import POD, Kind
from flyte_core.errors import AlreadyExists, Conflict, InvalidInput, NotFound, TooLarge
from flyte_core.selectors import compile_selector
from flyte_core.testing.fakes import ManualClock, MemoryCluster

BOX = Kind("example.com/v1", "Box", "boxes")


def box(name, **metadata):
    return {"apiVersion": BOX.api_version, "kind": "Box", "metadata": {"name": name, "namespace": "ns", **metadata}}


def pod(name, **metadata):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "ns", **metadata}}


async def test_created_objects_have_what_the_server_gives():
    cluster = MemoryCluster(clock=ManualClock(datetime(2024, 5, 6, tzinfo=UTC)))
    made = await cluster.create(box("a"))
    assert made["metadata"]["creationTimestamp"] == "2024-05-06T00:00:00Z"
    assert made["metadata"]["uid"] != (await cluster.create(box("b")))["metadata"]["uid"]
    assert await cluster.get(BOX, "ns", "a") == made
    with pytest.raises(AlreadyExists, match="ns/a"):
        await cluster.create(box("a"))


async def test_a_writer_cannot_change_what_is_stored():
    cluster = MemoryCluster()
    mine = box("a") | {"spec": {"list": [1]}}
    await cluster.create(mine)
    mine["spec"]["list"].append(2)
    assert (await cluster.get(BOX, "ns", "a"))["spec"] == {"list": [1]}


@pytest.mark.parametrize(
    "manifest",
    [
        {"kind": "Box", "metadata": {"name": "a"}},
        box("A"),
        box("a", labels={"x": "-"}),
        box("a", labels={"x": "y" * 64}),
        box("a", resourceVersion="1"),
        box("a") | {"spec": {"x": b"bytes"}},
    ],
)
async def test_what_a_server_refuses_is_refused(manifest):
    with pytest.raises(InvalidInput):
        await MemoryCluster().create(manifest)


async def test_replace_is_compare_and_swap():
    cluster = MemoryCluster(max_bytes=500)
    first = await cluster.create(box("a"))
    second = await cluster.replace({**first, "spec": 1})
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    with pytest.raises(Conflict):
        await cluster.replace({**first, "spec": 2})
    with pytest.raises(TooLarge, match="limit is 500"):
        await cluster.replace({**second, "spec": "x" * 500})
    with pytest.raises(NotFound):
        await cluster.replace({**second, "metadata": {**second["metadata"], "name": "b"}})
    assert await cluster.replace(second) is second


async def test_a_finalizer_holds_an_object_until_it_is_taken_off():
    cluster = MemoryCluster()
    await cluster.create(box("a", finalizers=["f"]))
    assert await cluster.delete(BOX, "ns", "a")
    held = await cluster.get(BOX, "ns", "a")
    assert "deletionTimestamp" in held["metadata"]
    await cluster.replace({**held, "metadata": {**held["metadata"], "finalizers": []}})
    assert await cluster.get(BOX, "ns", "a") is None
    assert not await cluster.delete(BOX, "ns", "a")


async def test_delete_of_another_uid_does_nothing():
    cluster = MemoryCluster()
    await cluster.create(box("a"))
    assert not await cluster.delete(BOX, "ns", "a", uid="other")
    assert await cluster.get(BOX, "ns", "a")


async def test_a_running_pod_stays_until_its_grace_is_over():
    cluster = MemoryCluster()
    await cluster.create(pod("p"))
    await cluster.set_status(POD, "ns", "p", {"phase": "Running"})
    assert await cluster.delete(POD, "ns", "p")
    assert (await cluster.get(POD, "ns", "p"))["metadata"]["deletionGracePeriodSeconds"] == 30
    assert await cluster.delete(POD, "ns", "p", grace_seconds=0)
    assert await cluster.get(POD, "ns", "p") is None


async def test_dependents_go_with_their_last_owner():
    cluster = MemoryCluster()
    owners = [{"uid": (await cluster.create(box(name)))["metadata"]["uid"]} for name in "ab"]
    await cluster.create(pod("p", ownerReferences=owners))
    await cluster.delete(BOX, "ns", "a")
    assert await cluster.get(POD, "ns", "p")
    await cluster.delete(BOX, "ns", "b")
    assert await cluster.get(POD, "ns", "p") is None
    await cluster.create(pod("late", ownerReferences=owners))
    assert cluster.collect_garbage() == 1


async def test_a_list_and_its_watch_leave_no_gap():
    cluster = MemoryCluster()
    await cluster.create(box("a", labels={"on": "yes"}))
    listing = await cluster.list(BOX, labels="on=yes")
    assert [item["metadata"]["name"] for item in listing.items] == ["a"]
    made = await cluster.create(box("b"))
    seen = []

    async def follow():
        async for event in cluster.watch(BOX, namespace="ns", labels="on=yes", since=listing.resource_version):
            seen.append((event.type, event.object["metadata"]["name"]))

    task = asyncio.create_task(follow())
    await asyncio.sleep(0)
    labelled = await cluster.replace({**made, "metadata": {**made["metadata"], "labels": {"on": "yes"}}})
    changed = await cluster.replace({**labelled, "spec": 1})
    await cluster.create(box("c", namespace="other", labels={"on": "yes"}))
    await cluster.replace({**changed, "metadata": {**changed["metadata"], "labels": {}}})
    await cluster.delete(BOX, "ns", "a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    assert seen == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b"), ("DELETED", "a")]


async def test_a_watch_from_too_long_ago_is_refused():
    cluster = MemoryCluster(history=2)
    for number in range(6):
        await cluster.create(box(f"b{number}"))
    with pytest.raises(Conflict, match="too old"):
        await anext(cluster.watch(BOX, since="0"))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("", True),
        ("a=1", True),
        ("a==1,b!=1", True),
        ("a!=1", False),
        ("c!=1", True),
        ("a in (0,1), b notin (0)", True),
        ("b in (0,1)", False),
        ("a,!c", True),
        ("!a", False),
        ("termination-status notin (terminated)", True),
    ],
)
def test_selectors_mean_what_kubernetes_says(selector, expected):
    assert compile_selector(selector)({"a": "1", "b": "2"}) is expected


def test_an_unreadable_selector_is_refused():
    with pytest.raises(InvalidInput, match="a ~ b"):
        compile_selector("x=1,a ~ b")


async def test_sleepers_wake_in_order_at_their_own_time():
    clock = ManualClock()
    start, woken = clock.now(), []

    async def sleeper(name, seconds, times):
        for _ in range(times):
            await clock.sleep(seconds)
            woken.append((name, (clock.now() - start).total_seconds()))

    tasks = [asyncio.create_task(sleeper("slow", 5, 1)), asyncio.create_task(sleeper("fast", 2, 3))]
    await clock.run_for(5)
    assert woken == [("fast", 2), ("fast", 4), ("slow", 5)]
    await clock.run_for(1)
    assert woken[-1] == ("fast", 6)
    await asyncio.gather(*tasks)
