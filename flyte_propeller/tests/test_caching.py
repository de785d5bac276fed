"""Cached task nodes: found, computed and stored, waited for; and what a catalog that is away changes (nothing)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flyteidl.core.catalog_pb2 import CatalogCacheStatus, CatalogReservation
from flyteidl.core.literals_pb2 import LiteralMap

import job_specs
from driving import DATA, RUNNING, SUCCESS, Driven, failed, integer, task, workflow
from flyte_core.errors import Unavailable
from flyte_propeller.testing import MemoryCatalog

CACHED = {"discoverable": True, "discoveryVersion": "1"}
SERIAL = {**CACHED, "cacheSerializable": True}


def with_metadata(manifest: dict[str, Any], metadata: dict[str, Any], name: str = "x") -> dict[str, Any]:
    """Return the manifest of an execution of that name, its task with this metadata and one input."""
    manifest["tasks"]["t"]["metadata"] = metadata
    manifest["metadata"].update(name=name, labels={"execution-id": name})
    manifest["executionId"]["name"] = name
    return manifest


class Cluster:
    """Executions one after the other, or beside each other, in one world with a catalog."""

    def __init__(self) -> None:
        first = Driven(workflow({"n0": task()}))
        self.catalog = MemoryCatalog(first.clock)
        self._first = first

    def execution(self, name: str, metadata: dict[str, Any], nodes: Any = None, **top: Any) -> Driven:
        driven = Driven(with_metadata(workflow(nodes or {"n0": task()}, **top), metadata, name))
        for part in ("clock", "store", "cluster", "admin"):
            setattr(driven, part, getattr(self._first, part))
        driven.host._store = self._first.store
        first = self._first
        driven.ports = replace(
            driven.ports,
            clock=first.clock,
            store=first.store,
            cluster=first.cluster,
            admin=first.admin,
            catalog=self.catalog,
        )
        driven.new_propeller()
        return driven


def phases(driven: Driven, node: str = "n0") -> list[str]:
    """Return the node's phases with what its events say of the cache."""
    found = []
    for request in driven.admin.events:
        event = request.event
        if hasattr(event, "spec_node_id") and (event.id.execution_id.name, event.id.node_id) == (driven.key.name, node):
            status = CatalogCacheStatus.Name(event.task_node_metadata.cache_status).removeprefix("CACHE_")
            held = CatalogReservation.Status.Name(event.task_node_metadata.reservation_status)
            held = held.removeprefix("RESERVATION_")
            phase = type(event).DESCRIPTOR.fields_by_name["phase"].enum_type.values_by_number[event.phase].name
            found.append(f"{phase} {status}" + ("" if held == "DISABLED" else f" {held}"))
    return found


async def run(driven: Driven, *nodes: str) -> Driven:
    await driven.start()
    for node in nodes or ("n0",):
        await driven.show(node, SUCCESS)
    return driven


async def test_a_result_is_stored_and_found_by_the_next_execution() -> None:
    cluster = Cluster()
    first = await run(cluster.execution("a", CACHED))
    assert phases(first) == ["QUEUED DISABLED", "RUNNING MISS", "SUCCEEDED POPULATED"]
    second = await cluster.execution("b", CACHED).start()
    assert phases(second) == ["SUCCEEDED HIT"]
    assert second.host.contexts == {}
    assert (await second.read("n0/data/0/outputs.pb")).literals["o"] == integer(1)
    events = [r.event for r in second.admin.events if hasattr(r.event, "spec_node_id") and r.event.id.node_id == "n0"]
    hit = events[-1].task_node_metadata
    assert hit.catalog_key.source_task_execution.node_execution_id.execution_id.name == "a"
    assert hit.catalog_key.dataset_id.version.startswith("1-")
    assert not hit.checkpoint_uri
    assert events[-1].output_uri == f"{DATA}/p-d-b/n0/data/0/outputs.pb"
    assert (await second.stored())["status"]["phase"] == 3


async def test_another_version_or_other_inputs_are_another_result() -> None:
    cluster = Cluster()
    chain = {"n0": task(), "n1": task("n0")}
    await run(cluster.execution("a", CACHED, chain), "n0", "n1")
    other = await run(cluster.execution("b", {**CACHED, "discoveryVersion": "2"}))
    assert phases(other)[-1] == "SUCCEEDED POPULATED"
    same = await cluster.execution("c", CACHED, chain).start()
    assert phases(same) == phases(same, "n1") == ["SUCCEEDED HIT"]
    assert len(cluster.catalog.stored) == 3


async def test_a_hash_that_a_value_brings_is_its_key() -> None:
    cluster = Cluster()
    chain = {"n0": task(), "n1": task("n0")}
    for name, value in (("a", 1), ("b", 2)):
        driven = cluster.execution(name, {**CACHED, "discoveryVersion": "1"}, chain)
        literal = integer(value)
        literal.hash = "the same"
        driven.host.outputs["n0"] = LiteralMap(literals={"o": literal})
        driven.manifest["spec"]["nodes"]["n0"]["task"] = "fresh"
        driven.manifest["tasks"]["fresh"] = {**driven.manifest["tasks"]["t"], "metadata": {}}
        await run(driven, "n0", *(["n1"] if name == "a" else []))
    assert phases(driven, "n1") == ["SUCCEEDED HIT"]


async def test_overwriting_computes_and_replaces() -> None:
    cluster = Cluster()
    await run(cluster.execution("a", CACHED))
    second = cluster.execution("b", CACHED, executionConfig={"OverwriteCache": True})
    second.host.outputs["n0"] = LiteralMap(literals={"o": integer(7)})
    await run(second)
    assert phases(second) == ["QUEUED DISABLED", "RUNNING SKIPPED", "SUCCEEDED POPULATED"]
    third = await cluster.execution("c", CACHED).start()
    assert (await third.read("n0/data/0/outputs.pb")).literals["o"] == integer(7)


async def test_a_catalog_that_does_not_answer_fails_nothing() -> None:
    cluster = Cluster()
    cluster.catalog.fault = Unavailable("away")
    for metadata, name, held in ((CACHED, "a", ""), (SERIAL, "b", " FAILURE")):
        driven = await run(cluster.execution(name, metadata))
        assert phases(driven) == ["QUEUED DISABLED", f"RUNNING LOOKUP_FAILURE{held}", "SUCCEEDED PUT_FAILURE"]
        assert driven.of("workflow")[-1] == "SUCCEEDED"


async def test_without_a_catalog_nothing_is_cached() -> None:
    driven = await run(Driven(with_metadata(workflow({"n0": task()}), SERIAL)))
    assert phases(driven) == ["QUEUED DISABLED", "RUNNING DISABLED", "SUCCEEDED DISABLED"]


async def test_a_failed_attempt_stores_nothing_and_a_retry_does() -> None:
    cluster = Cluster()
    driven = await cluster.execution("a", CACHED, {"n0": task(retry={"minAttempts": 2})}).start()
    await driven.show("n0", failed())
    assert not cluster.catalog.stored
    await driven.show("n0", SUCCESS, 1)
    assert phases(driven)[-1] == "SUCCEEDED POPULATED"
    (source,) = [source for _, source in cluster.catalog.stored.values()]
    assert source.retry_attempt == 1


async def test_a_result_whose_file_is_gone_is_computed_anew() -> None:
    cluster = Cluster()
    first = cluster.execution("a", CACHED)
    blob = LiteralMap()
    blob.literals["o"].scalar.blob.uri = "s3://flyte/data/file"
    first.host.outputs["n0"] = blob
    await first.store.write("s3://flyte/data/file", b"x")
    await run(first)
    assert phases(await cluster.execution("b", CACHED).start()) == ["SUCCEEDED HIT"]
    await first.store.delete("s3://flyte/data/file")
    third = await run(cluster.execution("c", CACHED))
    assert phases(third) == ["QUEUED DISABLED", "RUNNING EVICTED", "SUCCEEDED POPULATED"]
    assert phases(await cluster.execution("d", CACHED).start()) == ["SUCCEEDED HIT"]


async def test_of_two_serialized_ones_the_second_waits_and_finds() -> None:
    cluster = Cluster()
    first = await cluster.execution("a", SERIAL).start()
    second = await cluster.execution("b", SERIAL).start()
    assert phases(second) == ["QUEUED DISABLED"]
    for _ in range(30):
        await first.pass_time(3)
        await second.attend()
    assert phases(second) == ["QUEUED DISABLED"], "heartbeats keep the reservation"
    await first.show("n0", SUCCESS)
    assert phases(first) == ["QUEUED DISABLED", "RUNNING MISS ACQUIRED", "SUCCEEDED POPULATED RELEASED"]
    await second.pass_time(3)
    assert phases(second) == ["QUEUED DISABLED", "SUCCEEDED HIT RELEASED"]
    assert second.host.contexts == {}
    assert not cluster.catalog.holders


async def test_the_reservation_of_one_that_has_died_expires() -> None:
    cluster = Cluster()
    await cluster.execution("a", SERIAL).start()
    second = await cluster.execution("b", SERIAL).start()
    await second.pass_time(25)
    assert list(second.host.contexts) == []
    await second.pass_time(7)
    assert list(second.host.contexts) == ["b-n0-0"]


async def test_one_that_fails_or_is_aborted_gives_its_reservation_up() -> None:
    cluster = Cluster()
    first = await cluster.execution("a", SERIAL).start()
    await first.show("n0", failed(retryable=False))
    assert not cluster.catalog.holders
    second = await cluster.execution("b", SERIAL).start()
    assert cluster.catalog.holders
    await second.abort()
    assert not cluster.catalog.holders


async def test_a_retry_goes_on_with_the_reservation() -> None:
    cluster = Cluster()
    driven = await cluster.execution("a", SERIAL, {"n0": task(retry={"minAttempts": 2})}).start()
    await driven.show("n0", failed())
    assert list(driven.host.contexts) == ["a-n0-0", "a-n0-1"]
    await driven.show("n0", SUCCESS, 1)
    assert phases(driven)[-1] == "SUCCEEDED POPULATED RELEASED"


async def test_a_restarted_data_plane_goes_on_waiting_and_reserving() -> None:
    cluster = Cluster()
    first = await cluster.execution("a", SERIAL).start()
    second = await cluster.execution("b", SERIAL).start()
    for driven in (first, second):
        driven.new_propeller()
    for _ in range(20):
        await first.pass_time(4)
        await second.attend()
    assert second.host.contexts == {}
    await first.show("n0", RUNNING)
    await first.show("n0", SUCCESS)
    await second.pass_time(3)
    assert phases(second)[-1] == "SUCCEEDED HIT RELEASED"


async def test_two_equal_nodes_of_one_execution_are_computed_once() -> None:
    cluster = Cluster()
    driven = await cluster.execution("a", SERIAL, {"n0": task(), "n1": task()}).start()
    assert list(driven.host.contexts) == ["a-n0-0"]
    await driven.show("n0", SUCCESS)
    await driven.pass_time(3)
    assert phases(driven, "n1") == ["QUEUED DISABLED", "SUCCEEDED HIT RELEASED"]
    assert driven.of("workflow")[-1] == "SUCCEEDED"


async def test_only_as_many_are_reserved_as_have_a_place() -> None:
    cluster = Cluster()
    nodes = {f"n{i}": {**task(), "task": f"t{i}"} for i in range(3)}
    driven = cluster.execution("a", SERIAL, nodes, executionConfig={"MaxParallelism": 1})
    template = driven.manifest["tasks"]["t"]
    driven.manifest["tasks"] = {f"t{i}": {**template, "id": {**template["id"], "name": f"t{i}"}} for i in range(3)}
    await driven.start()
    assert len(cluster.catalog.holders) == 1


async def test_a_node_says_otherwise_than_its_task() -> None:
    cluster = Cluster()
    nodes = {"n0": task(cache={"cacheable": True, "cache_version": "9"}), "n1": task("n0")}
    first = await run(cluster.execution("a", {}, nodes), "n0", "n1")
    assert (phases(first)[-1], phases(first, "n1")[-1]) == ("SUCCEEDED POPULATED", "SUCCEEDED DISABLED")
    not_this_one = {"n0": task(cache={"cacheable": False})}
    second = await run(cluster.execution("b", {**CACHED, "discoveryVersion": "9"}, not_this_one))
    assert phases(second)[-1] == "SUCCEEDED DISABLED"
    third = await cluster.execution("c", {**CACHED, "discoveryVersion": "9"}).start()
    assert phases(third) == ["SUCCEEDED HIT"]


async def test_a_result_that_refuses_its_key_is_computed_without_a_cache() -> None:
    cluster = Cluster()
    driven = await run(cluster.execution("a", {"discoverable": True, "discoveryVersion": " "}))
    assert phases(driven) == ["QUEUED DISABLED", "RUNNING LOOKUP_FAILURE", "SUCCEEDED PUT_FAILURE"]


async def test_the_result_of_a_dynamic_node_is_what_its_graph_gives() -> None:
    cluster = Cluster()
    first = await cluster.execution("a", SERIAL).start()
    await first.make("n0", job_specs.job(job_specs.node("dn0")))
    assert not cluster.catalog.stored, "a graph is no result"
    first.host.outputs["n0-0-dn0"] = LiteralMap(literals={"o": integer(7)})
    for _ in range(20):
        await first.pass_time(5)
    assert cluster.catalog.holders[next(iter(cluster.catalog.holders))][1] > first.clock.now()
    await first.show("n0-0-dn0", SUCCESS)
    assert phases(first) == [
        "QUEUED DISABLED",
        "RUNNING MISS ACQUIRED",
        "DYNAMIC_RUNNING DISABLED",
        "SUCCEEDED POPULATED RELEASED",
    ]
    second = await cluster.execution("b", SERIAL).start()
    assert phases(second) == ["SUCCEEDED HIT"]
    assert (await second.read("n0/data/0/outputs.pb")).literals["o"] == integer(7)


async def test_an_attempt_that_could_not_be_created_is_created_though_its_reservation_is_extended_at_each_look() -> (
    None
):
    cluster = Cluster()
    driven = cluster.execution("a", SERIAL)
    launch, tries = driven.host.launch, []

    async def away(ctx: Any) -> Any:
        tries.append(ctx.generated_name)
        if len(tries) < 4:
            raise Unavailable("away")
        return await launch(ctx)

    driven.host.launch = away  # type: ignore[method-assign]
    await driven.start()
    for _ in range(3):
        await driven.pass_time(11)
    assert tries == ["a-n0-0"] * 4
    assert phases(driven)[-1] == "RUNNING MISS ACQUIRED"
