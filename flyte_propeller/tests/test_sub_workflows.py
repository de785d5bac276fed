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


def on_failure(nodes: dict[str, Any], handler: dict[str, Any]) -> dict[str, Any]:
    """Return the spec of a sub-workflow with a failure node ``fn``, which gets the error."""
    nothing = {"var": "err", "binding": {"scalar": {"noneType": {}}}}
    return {**graph(nodes), "onFailure": {"id": "fn", **handler, "inputBindings": [nothing]}}


def handled(handler: dict[str, Any] | None = None, policy: str = "FAIL_IMMEDIATELY") -> Driven:
    inner = on_failure({"a": task(), "b": task()}, handler or {"kind": "task", "task": "t"})
    outer = graph({"deep": sub("inner")})
    tidy = graph({"t1": task(), "t2": task("t1")})
    manifest = workflow(
        {"s": sub("outer"), "other": task()}, policy=policy, subWorkflows={"inner": inner, "outer": outer, "tidy": tidy}
    )
    return Driven(manifest)


async def test_a_failure_node_within_runs_before_what_is_around_fails() -> None:
    driven = await handled().start()
    await driven.show("other", RUNNING)
    await driven.show("s-0-deep-0-b", RUNNING)
    await driven.show("s-0-deep-0-a", failed(retryable=False))
    (abort,) = driven.errors("s-0-deep-0-b")
    assert abort.message == "subworkflow failed"
    assert driven.of("s-0-deep-0-fn")[0] == "QUEUED"
    assert [driven.of(node)[-1] for node in ("s-0-deep", "s", "other")] == ["RUNNING"] * 3
    given = driven.host.contexts["x-s-0-deep-0-fn-0"].inputs.literals["err"].scalar.union.value.scalar.error
    assert (given.message, given.failed_node_id) == ("it broke", "fn")
    await driven.show("s-0-deep-0-fn", SUCCESS)
    for node in ("s-0-deep", "s"):
        assert driven.of(node)[-1] == "FAILED"
        assert [error.message for error in driven.errors(node)] == ["it broke"]
    assert driven.of("other")[-1] == "ABORTED"
    assert driven.lines[-1] == "workflow FAILED"
    assert driven.host.alive == set()


async def test_the_failure_of_a_failure_node_takes_the_place_of_the_first_one() -> None:
    driven = await handled(policy="FAIL_AFTER_EXECUTABLE_NODES_COMPLETE").start()
    await driven.show("s-0-deep-0-a", failed(retryable=False))
    await driven.show("s-0-deep-0-fn", failed("worse", "it broke more", retryable=False))
    assert [error.message for error in driven.errors("s")] == ["it broke more"]
    await driven.show("other", SUCCESS)
    assert [error.code for error in driven.errors("workflow")][-1] == "worse"


async def test_a_failure_node_may_be_a_workflow_itself() -> None:
    driven = await handled(sub("tidy")).start()
    await driven.show("s-0-deep-0-a", failed(retryable=False))
    fn = next(
        name for name in driven.host.contexts if name not in ("x-other-0", "x-s-0-deep-0-a-0", "x-s-0-deep-0-b-0")
    )
    first = driven.host.contexts[fn].id.node_execution_id.node_id
    driven.host.shown[fn] = SUCCESS
    driven.wake(first)
    await driven.attend()
    assert driven.of("s-0-deep")[-1] == "RUNNING"
    second = next(name for name in driven.host.alive if name not in ("x-other-0",))
    driven.host.shown[second] = SUCCESS
    driven.wake(driven.host.contexts[second].id.node_execution_id.node_id)
    await driven.attend()
    assert driven.lines[-1] == "workflow FAILED"
    assert [error.message for error in driven.errors("s-0-deep")] == ["it broke"]


async def test_the_failure_node_of_the_workflow_may_be_a_workflow_itself() -> None:
    tidy = graph({"t1": task(), "t2": task("t1")})
    manifest = workflow({"a": task(), "b": task("a")}, failure=sub("tidy"), subWorkflows={"tidy": tidy})
    driven = await Driven(manifest).start()
    await driven.show("a", failed(retryable=False))
    await driven.show("fn0-0-t1", SUCCESS)
    driven.new_propeller()
    await driven.attend()
    await driven.show("fn0-0-t2", SUCCESS)
    assert driven.of("fn0")[-1] == "SUCCEEDED"
    assert driven.lines[-1] == "workflow FAILED"
    assert driven.of("b") == []


async def test_a_restart_while_a_failure_node_within_runs_loses_nothing() -> None:
    driven = await handled().start()
    await driven.show("s-0-deep-0-a", failed(retryable=False))
    driven.new_propeller()
    await driven.show("s-0-deep-0-fn", RUNNING)
    driven.new_propeller()
    await driven.show("s-0-deep-0-fn", SUCCESS)
    assert [error.message for error in driven.errors("s")] == ["it broke"]
    assert driven.lines[-1] == "workflow FAILED"


async def test_a_failure_node_within_is_not_looked_at_where_nothing_fails() -> None:
    driven = await handled().start()
    for node in ("other", "s-0-deep-0-a", "s-0-deep-0-b"):
        driven.new_propeller()
        await driven.show(node, SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert driven.of("s-0-deep-0-fn") == []


async def test_an_abort_ends_a_failure_node_within() -> None:
    driven = await handled().start()
    await driven.show("s-0-deep-0-a", failed(retryable=False))
    await driven.abort()
    assert driven.of("s-0-deep-0-fn")[-1] == "ABORTED"
    assert driven.lines[-1] == "workflow ABORTED"
    assert driven.host.alive == set()
