"""The state as the FlyteWorkflow's status: whole after any restart, of any size, and never a crash loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from driving import RUNNING, SETTINGS, SUCCESS, Driven, failed, task, workflow
from flyte_core.cluster import FLYTE_WORKFLOW
from flyte_core.errors import Unavailable
from flyte_core.testing.fakes import MemoryCluster

NODES = {"a": task(retry={"minAttempts": 3}), "b": task(), "c": task("a", "b"), "d": task("c")}


async def run_with_restarts(driven: Driven) -> list[str]:
    """Run to the end, forgetting everything before each report."""
    await driven.start()
    for name, report, attempt in (
        ("a", RUNNING, 0),
        ("a", failed(), 0),
        ("b", SUCCESS, 0),
        ("a", SUCCESS, 1),
        ("c", SUCCESS, 0),
        ("d", SUCCESS, 0),
    ):
        driven.new_propeller()
        await driven.show(name, report, attempt)
    return driven.lines


@pytest.mark.parametrize("status_limit", [SETTINGS.status_limit, 16], ids=["inline", "in the object store"])
async def test_nothing_is_lost_by_a_restart(status_limit: int) -> None:
    settings = replace(SETTINGS, status_limit=status_limit)
    driven = Driven(workflow(NODES), settings=settings)
    lines = await run_with_restarts(driven)
    assert lines[-1] == "workflow SUCCEEDED"
    assert len(lines) == len(set(lines)), "nothing was reported twice, or as new"
    left = [blob.uri async for blob in driven.store.list("s3://flyte/") if ".state" in blob.uri]
    assert left == [], "states in the object store are gone with the execution"


async def test_the_top_of_the_status_is_upstreams() -> None:
    driven = await Driven(workflow(NODES)).start()
    status = (await driven.stored())["status"]
    assert status["phase"] == 1
    assert status["startedAt"] == "2024-01-01T00:00:00Z"
    assert status["dataDir"] == "s3://flyte/metadata/propeller/p-d-x"
    assert set(status["flyteState"]) == {"v", "d"}


GARBAGE: dict[str, Any] = {
    "foreign": {"phase": 1, "nodeStatus": {"a": {"phase": 2}}},
    "another version": {"phase": 1, "flyteState": {"v": 99, "d": ""}},
    "not base64": {"phase": 1, "flyteState": {"v": 1, "d": "!!"}},
    "not deflated": {"phase": 1, "flyteState": {"v": 1, "d": "AAAA"}},
    "not a state": {"phase": 1, "flyteState": "what?"},
    "of another graph": {"phase": 1, "flyteState": {"v": 1, "d": "eJxjYGBgUEpUsqquVUqtqlCyilaqVoqtBQAefwRT"}},
    "a state that is not there": {"phase": 1, "flyteState": {"v": 1, "uri": "s3://flyte/nowhere"}},
    "a state elsewhere": {"phase": 1, "flyteState": {"v": 1, "uri": "s3://other/bucket"}},
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_a_status_that_cannot_be_understood_fails_the_execution_once_with_a_reason(name: str) -> None:
    driven = await Driven(workflow({"a": task()}, status=GARBAGE[name])).start()
    await driven.attend()
    assert driven.lines == ["workflow FAILED"]
    (error,) = driven.errors("workflow")
    assert error.code == "BadWorkflow"
    assert "status" in error.message
    stored = await driven.stored()
    assert stored["metadata"]["labels"]["termination-status"] == "terminated"
    assert stored["metadata"]["finalizers"] == []
    assert stored["status"]["phase"] == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spec": {"id": "x"}}, ["malformed", "nodes"]),
        ({"tasks": {}}, ["malformed", "'t'"]),
        ({"executionId": {"project": "p", "domain": "d", "name": "x"}, "inputs": {"literals": 5}}, ["malformed"]),
    ],
)
async def test_a_manifest_that_cannot_be_understood_fails_once(change: dict[str, Any], words: list[str]) -> None:
    driven = await Driven(workflow({"a": task()}, **change)).start()
    (error,) = driven.errors("workflow")
    assert all(word in error.message for word in words), error.message


async def test_a_kind_of_node_that_is_not_run_yet_is_named() -> None:
    driven = await Driven(workflow({"a": task(), "odd": {"kind": "unheard-of"}})).start()
    (error,) = driven.errors("workflow")
    assert "'unheard-of'" in error.message
    assert "'odd'" in error.message


async def test_a_resource_above_the_clusters_limit_keeps_its_state_in_the_object_store() -> None:
    driven = Driven(workflow({"a": task(), "b": task("a")}))
    size = len(str(driven.manifest)) + 700
    driven.cluster = MemoryCluster(clock=driven.clock, max_bytes=size)
    driven.ports = replace(driven.ports, cluster=driven.cluster)
    driven.new_propeller()
    await driven.start()
    await driven.show("a", SUCCESS)
    await driven.show("b", SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_what_could_not_be_stored_is_not_remembered_as_stored() -> None:
    class Moody(MemoryCluster):
        fails = False

        async def replace(self, manifest):
            if self.fails:
                raise Unavailable("not now")
            return await super().replace(manifest)

    driven = Driven(workflow({"a": task(retry={"minAttempts": 2}), "b": task("a")}))
    driven.cluster = moody = Moody(clock=driven.clock)
    driven.ports = replace(driven.ports, cluster=moody)
    driven.new_propeller()
    await driven.start()
    moody.fails = True
    await driven.show("a", SUCCESS)
    moody.fails = False
    await driven.show("a", failed())  # its object was tampered with in between
    driven.new_propeller()
    await driven.attend()
    assert list(driven.host.contexts) == ["x-a-0", "x-a-1"]
    assert (await driven.cluster.get(FLYTE_WORKFLOW, "p-d", "x"))["status"]["phase"] == 1
