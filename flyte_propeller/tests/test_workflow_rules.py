"""Rules between nodes: failure policies, skipped nodes, parallelism, the failure node, abort."""

from __future__ import annotations

import pytest
from flyteidl.core.types_pb2 import SimpleType

from driving import RUNNING, SUCCESS, Driven, failed, integer, task, workflow

AFTER = "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE"
BROKEN = failed("Bad", "wrong", retryable=False)


async def test_a_node_starts_when_all_its_upstreams_have_succeeded() -> None:
    driven = await Driven(workflow({"a": task(), "b": task(), "c": task("a", "b")})).start()
    await driven.show("a", SUCCESS)
    assert driven.of("c") == []
    await driven.show("b", SUCCESS)
    assert driven.of("c") == ["QUEUED", "RUNNING"]


async def test_the_first_failure_ends_the_others_at_once() -> None:
    driven = await Driven(workflow({"a": task(), "b": task(), "c": task("b")})).start()
    await driven.show("b", RUNNING)
    await driven.show("a", BROKEN)
    assert driven.of("workflow") == ["RUNNING", "FAILING", "FAILED"]
    assert driven.of("b") == ["QUEUED", "RUNNING", "ABORTED"]
    assert driven.of("b/0") == ["QUEUED", "RUNNING", "ABORTED"]
    assert [error.code for error in (*driven.errors("b/0"), *driven.errors("b"))] == ["Task Aborted", "NodeAborted"]
    assert driven.errors("b")[0].message == "Some node execution failed, auto-abort."
    assert driven.of("c") == []
    assert driven.host.alive == set()


async def test_what_can_still_run_runs_first_where_the_policy_says_so() -> None:
    nodes = {"a": task(), "b": task(), "c": task("b"), "d": task("a"), "e": task("c", "d"), "f": task("a", "c")}
    driven = await Driven(workflow(nodes, policy=AFTER)).start()
    await driven.show("a", BROKEN)
    assert driven.of("workflow") == ["RUNNING"]
    await driven.show("b", SUCCESS)
    await driven.show("c", SUCCESS)
    assert driven.of("workflow") == ["RUNNING", "FAILING", "FAILED"]
    assert driven.of("c")[-1] == "SUCCEEDED"
    assert driven.of("d") == [], "behind a failed node the walk ends"
    assert driven.of("e") == [], "one of its upstreams never ends"
    assert driven.of("f") == ["SKIPPED"]
    assert driven.errors("workflow")[-1].code == "Bad"


@pytest.mark.parametrize("limit", [1, 2])
async def test_no_more_tasks_run_than_the_execution_allows(limit: int) -> None:
    nodes = {name: task(retry={"minAttempts": 2}) for name in "abc"}
    driven = await Driven(workflow(nodes, executionConfig={"MaxParallelism": limit})).start()
    assert len(driven.host.alive) == limit
    assert [driven.of(name)[0] for name in "abc"] == ["QUEUED"] * 3
    await driven.show("a", failed())
    assert len(driven.host.alive) == limit
    for name, attempt in (("b", 0), ("c", 0), ("a", 1), ("b", 0), ("c", 0)):
        await driven.show(name, SUCCESS, attempt)
        assert len(driven.host.alive) <= limit
    assert driven.of("workflow")[-1] == "SUCCEEDED"


async def test_the_failure_node_gets_the_error_where_it_takes_one() -> None:
    nothing = {"var": "err", "binding": {"scalar": {"noneType": {}}}}
    one = {"var": "x", "binding": {"scalar": {"primitive": {"integer": "5"}}}}
    handler = {"kind": "task", "task": "t", "inputBindings": [nothing, one]}
    driven = await Driven(workflow({"a": task()}, failure=handler)).start()
    await driven.show("a", BROKEN)
    assert driven.of("workflow") == ["RUNNING", "FAILING"]
    inputs = driven.host.contexts["x-fn0-0"].inputs
    assert inputs.literals["x"] == integer(5)
    union = inputs.literals["err"].scalar.union
    assert (union.value.scalar.error.message, union.value.scalar.error.failed_node_id) == ("wrong", "fn0")
    assert (union.type.simple, union.type.structure.tag) == (SimpleType.ERROR, "FlyteError")
    await driven.show("fn0", SUCCESS)
    assert driven.of("workflow") == ["RUNNING", "FAILING", "FAILED"]
    assert driven.errors("workflow")[-1].code == "Bad"


async def test_a_failure_node_that_fails_changes_nothing_of_the_error() -> None:
    driven = await Driven(workflow({"a": task()}, failure=task(retry={"minAttempts": 2}))).start()
    await driven.show("a", BROKEN)
    await driven.show("fn0", failed("Worse"), 0)
    await driven.show("fn0", failed("Worse"), 1)
    assert driven.of("fn0") == ["QUEUED", "RUNNING", "FAILED"]
    assert driven.of("workflow")[-1] == "FAILED"
    assert driven.errors("workflow")[-1].code == "Bad"


async def test_deleting_the_resource_aborts_what_runs_and_lets_go_when_nothing_is_left() -> None:
    driven = await Driven(workflow({"a": task(), "b": task("a")})).start()
    await driven.show("a", RUNNING)
    driven.host.lingering.add("a")
    await driven.abort()
    assert driven.of("workflow") == ["RUNNING", "ABORTED"]
    assert driven.of("a") == ["QUEUED", "RUNNING", "ABORTED"]
    assert driven.of("a/0")[-1] == "ABORTED"
    assert (driven.errors("workflow")[0].message, driven.errors("a")[0].code) == ("Workflow aborted.", "NodeAborted")
    assert (await driven.stored())["metadata"]["finalizers"] == ["flyte.org/finalizer"]
    driven.host.lingering.clear()
    driven.wake("a")
    await driven.attend()
    with pytest.raises(AssertionError):
        await driven.stored()
    assert driven.host.alive == set()


async def test_a_workflow_without_nodes_succeeds() -> None:
    driven = await Driven(workflow({})).start()
    assert driven.of("workflow") == ["RUNNING", "SUCCEEDING", "SUCCEEDED"]


async def test_a_wide_graph_is_started_in_full_and_its_end_waits_for_all() -> None:
    names = [f"n{number}" for number in range(250)]
    driven = await Driven(workflow({name: task() for name in names})).start()
    assert len(driven.host.alive) == 250
    for name in names[:-1]:
        await driven.show(name, SUCCESS)
    assert driven.of("end-node") == []
    await driven.show(names[-1], SUCCESS)
    assert driven.of("workflow")[-1] == "SUCCEEDED"
