"""Recovery: what ended well in the earlier execution is taken over, the rest runs; in sub-workflows and branches."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from flyteidl.core.catalog_pb2 import CACHE_POPULATED

import job_specs
from driving import DATA, SUCCESS, Driven, failed, integer, task, workflow
from flyte_core.errors import Unavailable
from flyte_propeller.testing import PastOf


def recovering(first: Driven, manifest: dict[str, Any]) -> Driven:
    """Return an execution that recovers the other one."""
    config = {**manifest["executionConfig"], "RecoveryExecution": {"project": "p", "domain": "d", "name": "x"}}
    manifest = {**manifest, "executionConfig": config}
    manifest["metadata"] = {**manifest["metadata"], "name": "y", "labels": {"execution-id": "y"}}
    manifest["executionId"] = {**manifest["executionId"], "name": "y"}
    driven = Driven(manifest)
    driven.store = driven.host._store = first.store
    driven.ports = replace(driven.ports, store=first.store, past=PastOf(first.admin.events))
    driven.new_propeller()
    return driven


def chain() -> dict[str, Any]:
    outputs = [{"var": "o", "binding": {"promise": {"nodeId": "n2", "var": "o"}}}]
    return workflow({"n0": task(), "n1": task("n0"), "n2": task("n1")}, outputs=outputs)


def events(driven: Driven, node: str) -> list[Any]:
    found = [request.event for request in driven.admin.events]
    return [event for event in found if hasattr(event, "spec_node_id") and event.id.node_id == node]


async def test_what_ended_well_is_taken_over_and_the_rest_runs() -> None:
    first = await Driven(chain()).start()
    await first.show("n0", SUCCESS)
    await first.show("n1", failed())
    second = await recovering(first, chain()).start()
    assert (second.of("n0"), second.of("n1")) == (["RECOVERED"], ["QUEUED", "RUNNING"])
    (event,) = events(second, "n0")
    assert event.output_uri == f"{DATA}/p-d-y/n0/data/0/outputs.pb"
    assert (await second.read("n0/data/0/outputs.pb")).literals["o"] == integer(1)
    assert await second.read("n0/data/inputs.pb") == await first.read("n0/data/inputs.pb")
    await second.show("n1", SUCCESS)
    await second.show("n2", SUCCESS)
    assert second.of("workflow")[-1] == "SUCCEEDED"
    assert list(second.host.contexts) == ["y-n1-0", "y-n2-0"]


async def test_the_outputs_are_those_of_the_attempt_that_counted() -> None:
    manifest = workflow({"n0": task(retry={"minAttempts": 2}), "n1": task("n0")})
    first = await Driven(manifest).start()
    await first.show("n0", failed())
    await first.show("n0", SUCCESS, 1)
    await first.show("n1", failed())
    second = await recovering(first, manifest).start()
    assert second.of("n0") == ["RECOVERED"]
    assert (await second.read("n0/data/0/outputs.pb")).literals["o"] == integer(1)
    assert "i0" in (await second.read("n1/data/inputs.pb")).literals


async def test_a_recovered_execution_can_be_recovered() -> None:
    first = await Driven(chain()).start()
    await first.show("n0", SUCCESS)
    await first.show("n1", failed())
    second = await recovering(first, chain()).start()
    await second.show("n1", SUCCESS)
    await second.show("n2", failed())
    third = recovering(second, chain())
    third.manifest["executionConfig"]["RecoveryExecution"]["name"] = "y"
    third.manifest["metadata"]["name"] = third.manifest["executionId"]["name"] = "z"
    third.key = type(third.key)("p-d", "z")
    await third.start()
    assert [third.of(node) for node in ("n0", "n1", "n2")] == [["RECOVERED"], ["RECOVERED"], ["QUEUED", "RUNNING"]]


async def test_of_an_execution_that_succeeded_nothing_runs_again() -> None:
    first = await Driven(chain()).start()
    for node in ("n0", "n1", "n2"):
        await first.show(node, SUCCESS)
    second = await recovering(first, chain()).start()
    assert second.of("workflow")[-1] == "SUCCEEDED"
    assert second.host.contexts == {}
    assert await second.read("end-node/data/0/outputs.pb") == await first.read("end-node/data/0/outputs.pb")


async def test_the_first_attempt_goes_on_from_the_checkpoint_of_the_one_that_failed() -> None:
    first = await Driven(chain()).start()
    await first.show("n0", failed())
    second = await recovering(first, chain()).start()
    kept = events(first, "n0")[-1].task_node_metadata.checkpoint_uri
    assert kept.endswith("_flytecheckpoints")
    assert second.host.contexts["y-n0-0"].paths.previous_checkpoint_prefix == kept


async def test_what_is_gone_is_computed_anew() -> None:
    first = await Driven(chain()).start()
    await first.show("n0", SUCCESS)
    await first.show("n1", failed())
    await first.store.delete(f"{DATA}/p-d-x/n0/data/0/outputs.pb")
    second = await recovering(first, chain()).start()
    assert second.of("n0") == ["QUEUED", "RUNNING"]


async def test_a_control_plane_that_does_not_answer_delays_and_changes_nothing() -> None:
    first = await Driven(chain()).start()
    await first.show("n0", SUCCESS)
    await first.show("n1", failed())
    second = recovering(first, chain())
    past = second.ports.past

    class Away:
        async def node(self, identifier: object) -> object:
            raise Unavailable("away")

    second.ports = replace(second.ports, past=Away())
    second.new_propeller()
    await second.start()
    assert second.host.contexts == {}
    second.ports = replace(second.ports, past=past)
    second.new_propeller()
    await second.attend()
    assert (second.of("n0"), second.of("n1")) == (["RECOVERED"], ["QUEUED", "RUNNING"])


def outer() -> dict[str, Any]:
    """A sub-workflow node between two tasks; within it two tasks."""
    inner = workflow(
        {"a": task(), "b": task("a")}, outputs=[{"var": "o", "binding": {"promise": {"nodeId": "b", "var": "o"}}}]
    )["spec"]
    sub = {"kind": "workflow", "workflow": {"subWorkflowRef": "inner"}, "after": ("n0",)}
    return workflow({"n0": task(), "n1": sub, "n2": task("n1")}, subWorkflows={"inner": inner})


async def test_within_a_sub_workflow_that_failed_the_same_holds() -> None:
    first = await Driven(outer()).start()
    await first.show("n0", SUCCESS)
    await first.show("n1-0-a", SUCCESS)
    await first.show("n1-0-b", failed())
    second = await recovering(first, outer()).start()
    assert [second.of(node) for node in ("n0", "n1", "n1-0-a", "n1-0-b")] == [
        ["RECOVERED"],
        ["QUEUED", "RUNNING"],
        ["RECOVERED"],
        ["QUEUED", "RUNNING"],
    ]
    await second.show("n1-0-b", SUCCESS)
    await second.show("n2", SUCCESS)
    assert second.of("workflow")[-1] == "SUCCEEDED"


async def test_a_sub_workflow_that_ended_well_is_taken_over_whole() -> None:
    first = await Driven(outer()).start()
    for node in ("n0", "n1-0-a", "n1-0-b"):
        await first.show(node, SUCCESS)
    await first.show("n2", failed())
    second = await recovering(first, outer()).start()
    assert second.of("n1") == ["RECOVERED"]
    assert events(second, "n1")[0].is_parent
    assert second.of("n1-0-a") == []
    assert (await second.read("n2/data/inputs.pb")).literals["i0"] == integer(1)
    second.new_propeller()
    await second.show("n2", SUCCESS)
    assert second.of("workflow")[-1] == "SUCCEEDED"


def branch() -> dict[str, Any]:
    """A branch whose one case is a task, and a task behind it."""
    condition = {"comparison": {"leftValue": {"primitive": {"integer": "1"}}, "rightValue": {"var": "i0"}}}
    choice = {
        "kind": "branch",
        "branch": {"if": {"condition": condition, "then": "n1-n0"}},
        "after": ("n0",),
        "inputBindings": [{"var": "i0", "binding": {"promise": {"nodeId": "n0", "var": "o"}}}],
    }
    manifest = workflow({"n0": task(), "n1": choice, "n2": task("n1")})
    case = task()
    manifest["spec"]["nodes"]["n1-n0"] = {"id": "n1-n0", **{k: v for k, v in case.items() if k != "after"}}
    return manifest


async def test_the_case_of_a_branch_is_taken_over_and_so_is_the_branch() -> None:
    first = await Driven(branch()).start()
    await first.show("n0", SUCCESS)
    case = "n1-0-n1-n0"
    await first.show(case, failed())
    second = await recovering(first, branch()).start()
    assert (second.of("n0"), second.of("n1")) == (["RECOVERED"], ["QUEUED", "RUNNING"])
    await second.show(case, SUCCESS)
    await second.show("n2", failed())
    third = recovering(second, branch())
    third.manifest["executionConfig"]["RecoveryExecution"]["name"] = "y"
    await third.start()
    assert (third.of("n1"), third.of(case), third.of("n2")) == (["RECOVERED"], [], ["QUEUED", "RUNNING"])


async def test_what_the_event_said_of_the_cache_is_said_again() -> None:
    first = await Driven(chain()).start()
    await first.show("n0", SUCCESS)
    await first.show("n1", failed())
    second = recovering(first, chain())
    record = second.ports.past.nodes["x", "n0"]
    record.closure.task_node_metadata.cache_status = CACHE_POPULATED
    await second.start()
    assert events(second, "n0")[0].task_node_metadata.cache_status == CACHE_POPULATED


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_the_graph_what_failed_and_what_follows_runs_and_nothing_else(seed: int) -> None:
    choice = random.Random(seed)
    names = [f"n{i}" for i in range(choice.randrange(2, 9))]
    nodes = {
        name: task(*sorted(choice.sample(names[:place], min(place, choice.randrange(3)))))
        for place, name in enumerate(names)
    }
    manifest = workflow(nodes, policy="FAIL_AFTER_EXECUTABLE_NODES_COMPLETE")
    broken = choice.choice(names)
    first = await Driven(manifest).start()
    for name in names:
        await first.show(name, failed() if name == broken else SUCCESS)
    second = await recovering(first, manifest).start()
    for name in names:
        if second.of(name) and second.of(name) != ["RECOVERED"]:
            await second.show(name, SUCCESS)
    assert second.of("workflow")[-1] == "SUCCEEDED"
    behind = {broken}
    for name in names:
        if behind & set(nodes[name]["after"]):
            behind.add(name)
    assert set(second.host.contexts) == {f"y-{name}-0" for name in behind}


async def test_a_dynamic_node_that_ended_well_is_taken_over_and_says_what_it_was() -> None:
    manifest = workflow({"n0": task(), "n1": task("n0")})
    first = await Driven(manifest).start()
    await first.make("n0", job_specs.job(job_specs.node("dn0")))
    await first.show("n0-0-dn0", SUCCESS)
    await first.show("n1", failed())
    second = await recovering(first, manifest).start()
    assert (second.of("n0"), second.of("n0-0-dn0")) == (["RECOVERED"], [])
    (event,) = events(second, "n0")
    assert event.is_dynamic
    assert event.is_parent
    assert "i0" in (await second.read("n1/data/inputs.pb")).literals


async def test_a_dynamic_node_that_failed_makes_a_graph_of_its_own_in_which_everything_runs() -> None:
    manifest = workflow({"n0": task()})
    first = await Driven(manifest).start()
    await first.make("n0", job_specs.job(job_specs.node("dn0"), job_specs.node("dn1", "dn0")))
    await first.show("n0-0-dn0", SUCCESS)
    await first.show("n0-0-dn1", failed())
    second = await recovering(first, manifest).start()
    await second.make("n0", job_specs.job(job_specs.node("dn0"), job_specs.node("dn1", "dn0")))
    assert second.of("n0-0-dn0") == ["QUEUED", "RUNNING"]
