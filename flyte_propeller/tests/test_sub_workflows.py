"""Sub-workflows: their nodes run among the others, under ids of their own; what fails within fails what is around."""

from __future__ import annotations

from typing import Any

from driving import RUNNING, SUCCESS, Driven, failed, task, workflow


def graph(nodes: dict[str, Any]) -> dict[str, Any]:
    """Return the spec of a sub-workflow of these nodes; its output is that of the last."""
    output = {"var": "o", "binding": {"promise": {"nodeId": list(nodes)[-1], "var": "o"}}}
    spec: dict[str, Any] = dict(workflow(nodes, outputs=[output])["spec"])
    return spec


def sub(reference: str, *after: str) -> dict[str, Any]:
    return {**task(*after), "kind": "workflow", "workflow": {"subWorkflowRef": reference}, "task": None}


def nested(policy: str = "FAIL_IMMEDIATELY") -> Driven:
    inner = graph({"a": task(), "b": task("a")})
    outer = graph({"c": task(), "deep": sub("inner", "c")})
    manifest = workflow(
        {"s": sub("outer"), "other": task(), "last": task("s")}, subWorkflows={"inner": inner, "outer": outer}
    )
    manifest = {**manifest, "spec": {**manifest["spec"], "onFailurePolicy": policy}}
    return Driven(manifest)


async def test_a_sub_workflow_within_a_sub_workflow_runs_to_its_end() -> None:
    driven = await nested().start()
    await driven.show("other", SUCCESS)
    await driven.show("s-0-c", SUCCESS)
    await driven.show("s-0-deep-0-a", SUCCESS)
    await driven.show("s-0-deep-0-b", SUCCESS)
    await driven.show("last", SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert [driven.of(node)[-1] for node in ("s-0-deep", "s")] == ["SUCCEEDED", "SUCCEEDED"]


async def test_a_failure_within_fails_what_is_around_and_ends_what_runs_beside_it() -> None:
    driven = await nested().start()
    await driven.show("s-0-c", SUCCESS)
    await driven.show("other", RUNNING)
    await driven.show("s-0-deep-0-a", failed(retryable=False))
    for node in ("s-0-deep-0-a", "s-0-deep", "s"):
        assert driven.of(node)[-1] == "FAILED"
        assert [error.message for error in driven.errors(node)][-1] == "it broke"
    assert driven.of("other")[-1] == "ABORTED"
    assert driven.lines[-1] == "workflow FAILED"
    assert driven.host.alive == set()


async def test_after_a_failure_within_the_rest_goes_on_where_the_policy_says_so() -> None:
    driven = await nested("FAIL_AFTER_EXECUTABLE_NODES_COMPLETE").start()
    await driven.show("s-0-c", SUCCESS)
    await driven.show("s-0-deep-0-a", failed(retryable=False))
    assert driven.of("s")[-1] == "FAILED"
    assert driven.lines[-1] != "workflow FAILED"
    await driven.show("other", SUCCESS)
    assert driven.of("s-0-deep-0-b") == []
    assert driven.of("last") == []
    assert driven.lines[-1] == "workflow FAILED"


async def test_nothing_is_lost_by_a_restart_within() -> None:
    driven = await nested().start()
    for node in ("s-0-c", "s-0-deep-0-a", "other", "s-0-deep-0-b", "last"):
        driven.new_propeller()
        await driven.show(node, SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert len(driven.lines) == len(set(driven.lines))


async def test_an_abort_ends_what_runs_within() -> None:
    driven = await nested().start()
    await driven.show("s-0-c", RUNNING)
    await driven.abort()
    assert driven.of("s-0-c")[-1] == "ABORTED"
    assert driven.of("s")[-1] == "ABORTED"
    assert driven.lines[-1] == "workflow ABORTED"
    assert driven.host.alive == set()


async def test_a_sub_workflow_that_refers_to_itself_is_refused() -> None:
    loop = graph({"again": sub("loop")})
    driven = await Driven(workflow({"s": sub("loop")}, subWorkflows={"loop": loop})).start()
    (error,) = driven.errors("workflow")
    assert "nested deeper" in error.message


async def test_a_failure_node_within_is_named() -> None:
    inner = graph({"a": task()}) | {"onFailure": {"id": "fn", "kind": "task", "task": "t"}}
    driven = await Driven(workflow({"s": sub("inner")}, subWorkflows={"inner": inner})).start()
    (error,) = driven.errors("workflow")
    assert "'s'" in error.message
    assert "failure node" in error.message
