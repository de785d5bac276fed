"""Dynamic nodes: a task leaves a graph in place of outputs, which runs among the other nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flyteidl.core.dynamic_job_pb2 import DynamicJobSpec
from flyteidl.core.literals_pb2 import LiteralMap

from driving import DATA, RUNNING, SETTINGS, SUCCESS, Driven, failed, integer, task, workflow
from flyte_core.cluster import Manifest
from flyte_core.errors import Unavailable
from flyte_core.testing.fakes import MemoryCluster
from flyte_propeller.settings import PropellerSettings
from job_specs import INTEGER, calling, constant, job, mapping, node, promise, sub_workflow, template

FOLDER = f"{DATA}/p-d-x/n0/data/0"


def dynamic(settings: PropellerSettings = SETTINGS, **fields: Any) -> Driven:
    """Return a workflow of the dynamic node ``n0`` and of ``last``, which takes its output."""
    output = {"var": "o", "binding": {"promise": {"nodeId": "last", "var": "o"}}}
    return Driven(workflow({"n0": task(**fields), "last": task("n0")}, outputs=[output]), settings=settings)


async def run(driven: Driven, *nodes: str) -> None:
    for name in nodes:
        await driven.show(name, SUCCESS)


async def test_the_graph_runs_and_its_output_is_the_nodes() -> None:
    driven = await dynamic().start()
    await driven.make("n0", job(node("dn0"), node("dn1", "dn0")))
    driven.host.outputs["n0-0-dn1"] = LiteralMap(literals={"o": integer(7)})
    await run(driven, "n0-0-dn0", "n0-0-dn1")
    assert driven.host.contexts["x-last-0"].inputs.literals["i0"] == integer(7)
    assert await driven.read("n0/data/0/outputs.pb") == LiteralMap(literals={"o": integer(7)})
    await run(driven, "last")
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert driven.of("n0") == ["QUEUED", "RUNNING", "DYNAMIC_RUNNING", "SUCCEEDED"]
    assert driven.of("n0/0")[-1] == "SUCCEEDED"
    assert driven.host.alive == set()


async def test_the_event_shows_what_was_compiled_and_where_it_came_from() -> None:
    driven = await dynamic().start()
    await driven.make("n0", job(node("dn0")))
    (event,) = [r.event for r in driven.admin.events if getattr(r.event, "is_dynamic", False)]
    made = event.task_node_metadata.dynamic_workflow
    assert made.dynamic_job_spec_uri == f"{FOLDER}/futures.pb"
    assert (made.id.project, made.id.domain, made.id.name, len(made.id.version)) == ("p", "d", "dynamic_n0", 10)
    assert made.compiled_workflow.primary.template.id == made.id
    assert [n.id for n in made.compiled_workflow.primary.template.nodes] == ["start-node", "end-node", "dn0"]
    assert event.is_parent
    stored = await driven.store.read(f"{FOLDER}/dynamic_compiled.pb")
    assert stored == made.compiled_workflow.SerializeToString(deterministic=True)


async def test_constants_of_the_graph_are_inputs_of_its_nodes() -> None:
    driven = await dynamic().start()
    made = node("dn0")
    made.inputs.append(constant("a", 5))
    spec = job(made)
    spec.tasks[0].CopyFrom(template(["a"]))
    await driven.make("n0", spec)
    assert driven.host.contexts["x-n0-0-dn0-0"].inputs.literals["a"] == integer(5)


async def test_the_output_of_a_graph_may_be_a_constant() -> None:
    driven = await dynamic().start()
    spec = job(node("dn0"))
    spec.outputs[0].CopyFrom(constant("o", 9))
    await driven.make("n0", spec)
    await run(driven, "n0-0-dn0")
    assert driven.host.contexts["x-last-0"].inputs.literals["i0"] == integer(9)


async def test_the_graph_of_a_second_attempt_is_a_graph_of_its_own() -> None:
    driven = await dynamic(retry={"minAttempts": 2}).start()
    await driven.show("n0", failed())
    await driven.make("n0", job(node("dn0")), attempt=1)
    assert (await driven.read("n0/data/1/start-node/0/outputs.pb")) == LiteralMap()
    await run(driven, "n0-1-dn0")
    assert await driven.read("n0/data/1/outputs.pb") == LiteralMap(literals={"o": integer(1)})
    groups = {r.event.retry_group for r in driven.admin.events if getattr(r.event, "is_in_dynamic_chain", False)}
    assert groups == {"1"}
    await run(driven, "last")
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_a_failure_within_fails_the_node_for_good_with_the_same_error() -> None:
    driven = await dynamic(retry={"minAttempts": 3}).start()
    await driven.make("n0", job(node("dn0"), node("dn1"), node("dn2", "dn0", "dn1")))
    await driven.show("n0-0-dn1", RUNNING)
    await driven.show("n0-0-dn0", failed(retryable=False))
    for name in ("n0-0-dn0", "n0"):
        assert driven.of(name)[-1] == "FAILED"
        assert [(e.code, e.message) for e in driven.errors(name)] == [("boom", "it broke")]
    assert driven.of("n0-0-dn1")[-1] == "ABORTED"
    assert driven.of("n0-0-dn2") == []
    assert driven.lines[-1] == "workflow FAILED"
    assert driven.host.alive == set()


async def test_a_time_out_within_costs_the_node_an_attempt_and_the_next_makes_a_new_graph() -> None:
    driven = await dynamic(retry={"minAttempts": 2}).start()
    slow = job(node("dn0", timeout=10, retries=9), node("dn1"))
    await driven.make("n0", slow)
    await driven.show("n0-0-dn0", RUNNING)
    await driven.pass_time(21)
    assert driven.of("n0-0-dn0")[-1] == "TIMED_OUT"
    assert driven.of("n0-0-dn1")[-1] == "ABORTED"
    await driven.make("n0", slow, attempt=1)
    assert driven.of("n0/1")[-1] == "SUCCEEDED"
    await driven.pass_time(21)
    (error,) = driven.errors("n0")
    assert error.code == "RetriesExhausted|DynamicNodeFailing"
    assert "[2/2]" in error.message
    assert "Dynamic workflow failed: node [n0-1-dn0]: task active timeout [20s] expired" in error.message
    assert driven.lines[-1] == "workflow FAILED"
    assert driven.host.alive == set()


async def test_a_node_that_becomes_ready_in_the_moment_of_the_time_out_does_not_start() -> None:
    driven = await dynamic(retry={"minAttempts": 2}).start()
    await driven.make("n0", job(node("dn0", timeout=10, retries=9), node("dn1"), node("dn2", "dn1")))
    driven.host.shown["x-n0-0-dn1-0"] = SUCCESS
    driven.wake("n0-0-dn1")
    await driven.pass_time(21)
    assert driven.of("n0-0-dn1")[-1] == "SUCCEEDED"
    assert driven.of("n0-0-dn2") == []
    driven.new_propeller()
    await driven.make("n0", job(node("dn0")), attempt=1)
    await run(driven, "n0-1-dn0", "last")
    assert driven.of("n0-0-dn2") == []
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_deadlines_of_the_node_hold_while_its_graph_runs() -> None:
    driven = await dynamic(executionDeadline="10s", retry={"minAttempts": 2}).start()
    await driven.make("n0", job(node("dn0")))
    await driven.pass_time(11)
    assert driven.of("n0-0-dn0")[-1] == "ABORTED"
    await driven.make("n0", job(node("dn0")), attempt=1)
    await run(driven, "n0-1-dn0", "last")
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_the_whole_time_of_the_node_includes_its_graph() -> None:
    driven = await dynamic(activeDeadline="10s", retry={"minAttempts": 9}).start()
    await driven.make("n0", job(node("dn0")))
    await driven.pass_time(11)
    assert driven.of("n0-0-dn0")[-1] == "ABORTED"
    assert driven.of("n0")[-1] == "TIMED_OUT"
    assert driven.lines[-1] == "workflow FAILED"


async def test_a_dynamic_node_within_a_dynamic_node_runs() -> None:
    driven = await dynamic().start()
    await driven.make("n0", job(node("dn0")))
    await driven.make("n0-0-dn0", job(node("dn0"), node("dn1")))
    await run(driven, "n0-0-dn0-0-dn0", "n0-0-dn0-0-dn1", "last")
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert driven.of("n0-0-dn0") == ["QUEUED", "RUNNING", "DYNAMIC_RUNNING", "SUCCEEDED"]


async def test_a_dynamic_node_that_makes_itself_again_and_again_is_stopped() -> None:
    driven = await dynamic().start()
    name, names = "n0", []
    while driven.lines[-1] != "workflow FAILED":
        await driven.make(name, job(node("dn0")))
        names.append(name)
        name = next(reversed(driven.host.contexts)).removeprefix("x-").removesuffix("-0")
        assert len(names) < 100
    assert len(names) == 51
    assert "nested deeper than 50" in driven.errors("workflow")[-1].message
    assert "nested deeper than 50" in driven.errors("n0")[-1].message


async def test_sub_workflows_of_the_graph_run() -> None:
    driven = await dynamic().start()
    inner = sub_workflow("w", node("n0"), node("n1", "n0"))
    await driven.make("n0", job(calling("dn0", inner), node("dn1"), output="dn0", sub_workflows={"w": inner}))
    await run(driven, "n0-0-dn1", "n0-0-dn0-0-n0", "n0-0-dn0-0-n1", "last")
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_a_map_within_the_graph_runs_its_elements() -> None:
    driven = await dynamic().start()
    after = node("dn1", "dn0", task="t1")
    after.inputs.append(promise("a", "dn0"))
    spec = job(mapping("dn0", [4, 5]), after)
    spec.tasks[0].CopyFrom(template(["a"]))
    spec.tasks[0].interface.outputs.variables["o"].type.collection_type.CopyFrom(INTEGER)
    spec.tasks.append(template(["a"], name="t1"))
    for mapped in spec.tasks:
        mapped.interface.inputs.variables["a"].type.collection_type.CopyFrom(INTEGER)
    await driven.make("n0", spec)
    assert driven.of("n0-0-dn0") == ["QUEUED", "RUNNING"]
    names = [name for name in driven.host.contexts if name.startswith("x-") and name != "x-n0-0"]
    assert len(names) == 2
    driven.new_propeller()
    for name in names:
        driven.host.shown[name] = SUCCESS
    driven.propeller.resync()
    await driven.attend()
    await driven.attend()
    await driven.show("n0-0-dn1", SUCCESS)
    items = driven.host.contexts["x-n0-0-dn1-0"].inputs.literals["a"].collection.literals
    assert list(items) == [integer(1), integer(1)]
    await run(driven, "last")
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_a_dynamic_node_within_a_sub_workflow_runs() -> None:
    output = {"var": "o", "binding": {"promise": {"nodeId": "a", "var": "o"}}}
    inner = workflow({"a": task()}, outputs=[output])["spec"]
    sub = {**task(), "kind": "workflow", "workflow": {"subWorkflowRef": "inner"}, "task": None}
    driven = await Driven(workflow({"s": sub, "last": task("s")}, subWorkflows={"inner": inner})).start()
    await driven.make("s-0-a", job(node("dn0")))
    await run(driven, "s-0-a-0-dn0", "last")
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_two_graphs_of_one_round_lie_one_behind_the_other() -> None:
    driven = await Driven(workflow({"a": task(), "b": task(), "last": task("a", "b")})).start()
    for name in ("a", "b"):
        driven.host.shown[f"x-{name}-0"] = SUCCESS
        driven.host.futures[f"x-{name}-0"] = job(node("dn0"), node("dn1", "dn0"))
        driven.wake(name)
    await driven.attend()
    for name in ("a-0-dn0", "b-0-dn0", "a-0-dn1", "b-0-dn1", "last"):
        driven.new_propeller()
        await run(driven, name)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert len(driven.lines) == len(set(driven.lines))


async def test_more_graphs_than_one_round_lays_out_all_run() -> None:
    names = [f"n{number}" for number in range(25)]
    driven = await Driven(workflow({name: task() for name in names})).start()
    for name in names:
        driven.host.shown[f"x-{name}-0"] = SUCCESS
        driven.host.futures[f"x-{name}-0"] = job(node("dn0"))
        driven.wake(name)
    await driven.attend()
    await run(driven, *(f"{name}-0-dn0" for name in names))
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_nothing_is_lost_by_a_restart_and_the_graph_is_not_compiled_again() -> None:
    driven = await dynamic().start()
    await driven.make("n0", job(node("dn0"), node("dn1", "dn0")))
    await driven.store.write(f"{FOLDER}/futures.pb", b"not looked at any more")
    for name in ("n0-0-dn0", "n0-0-dn1", "last"):
        driven.new_propeller()
        await run(driven, name)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert len(driven.lines) == len(set(driven.lines))


async def test_a_graph_that_has_vanished_fails_the_execution_and_is_named() -> None:
    driven = await dynamic().start()
    await driven.make("n0", job(node("dn0")))
    await driven.store.delete(f"{FOLDER}/dynamic_compiled.pb")
    driven.new_propeller()
    await driven.attend()
    assert driven.lines[-1] == "workflow FAILED"
    assert "n0/data/0/dynamic_compiled.pb" in driven.errors("workflow")[0].message


class MoodyCluster(MemoryCluster):
    away = False

    async def replace(self, manifest: Manifest) -> Manifest:
        if self.away:
            raise Unavailable("the cluster is away")
        return await super().replace(manifest)


async def test_a_graph_whose_state_was_not_stored_leaves_nothing_behind() -> None:
    driven = dynamic()
    cluster = MoodyCluster(clock=driven.clock)
    driven.cluster, driven.ports = cluster, replace(driven.ports, cluster=cluster)
    driven.new_propeller()
    await driven.start()
    cluster.away = True
    await driven.make("n0", job(node("dn0")))
    cluster.away = False
    driven.host.lingering.add("n0")
    await driven.abort()
    driven.host.lingering.clear()
    driven.new_propeller()
    await driven.attend()
    assert driven.lines[-1] == "workflow ABORTED"
    assert driven.host.alive == set()


async def test_an_abort_ends_what_the_graph_runs() -> None:
    driven = await dynamic().start()
    await driven.make("n0", job(node("dn0"), node("dn1")))
    await driven.show("n0-0-dn0", RUNNING)
    await driven.abort()
    assert [driven.of(name)[-1] for name in ("n0-0-dn0", "n0-0-dn1", "n0", "workflow")] == ["ABORTED"] * 4
    assert driven.host.alive == set()


async def test_nodes_of_the_graph_take_places_and_its_node_takes_none() -> None:
    manifest = workflow({"n0": task()}, executionConfig={"MaxParallelism": 1})
    driven = await Driven(manifest).start()
    await driven.make("n0", job(node("dn0"), node("dn1"), node("dn2")))
    assert driven.host.alive == {"x-n0-0-dn0-0"}
    await run(driven, "n0-0-dn0")
    assert driven.host.alive == {"x-n0-0-dn1-0"}
    driven.new_propeller()
    await run(driven, "n0-0-dn1", "n0-0-dn2")
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_a_failure_node_may_be_dynamic() -> None:
    driven = await Driven(workflow({"n0": task(), "other": task()}, failure=task())).start()
    await driven.show("n0", failed(retryable=False))
    await driven.make("fn0", job(node("dn0"), node("dn1", "dn0")))
    driven.new_propeller()
    await run(driven, "fn0-0-dn0", "fn0-0-dn1")
    assert driven.of("fn0")[-1] == "SUCCEEDED"
    assert driven.lines[-1] == "workflow FAILED"


def misbound() -> DynamicJobSpec:
    spec = job(node("dn0"), node("dn1"))
    spec.nodes[0].inputs.append(promise("a", "nowhere"))
    spec.nodes[1].task_node.reference_id.name = "unknown"
    return spec


def unnamed_type() -> DynamicJobSpec:
    spec = misbound()
    spec.tasks[0].type = ""
    return spec


def cyclic() -> DynamicJobSpec:
    return job(node("dn0", "dn1"), node("dn1", "dn0"))


BAD = {
    "not a message": (b"\xff\xff", ["n0/data/0/futures.pb is no flyteidl.core.DynamicJobSpec"]),
    "empty": (b"", ["NoNodesFound", "ParameterNotBound"]),
    "all problems": (
        misbound(),
        ["Collected Errors: 3", "NodeReferenceNotFound", "dn0", "TaskReferenceNotFound", "dn1"],
    ),
    "of tasks too": (unnamed_type(), ["Value required [type]", "NodeReferenceNotFound", "TaskReferenceNotFound"]),
    "cycle": (cyclic(), ["CycleDetected"]),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_no_graph_fails_the_node_with_all_that_is_wrong(case: str) -> None:
    spec, texts = BAD[case]
    driven = await dynamic(retry={"minAttempts": 3}).start()
    await driven.make("n0", spec)
    (error,) = driven.errors("n0")
    assert (error.code, error.kind) == ("DynamicWorkflowBuildFailed", 1)
    assert error.message.startswith("[UserError] malformed dynamic workflow, caused by: ")
    for text in texts:
        assert text in error.message
    assert driven.lines[-1] == "workflow FAILED"
    assert driven.host.alive == set()


async def test_more_nodes_than_allowed_are_refused_by_the_name_of_the_setting() -> None:
    settings = PropellerSettings(DATA, "s3://flyte/data", dynamic_node_limit=8)
    driven = await dynamic(settings).start()
    await driven.make("n0", job(node("dn0"), node("dn1")))
    await driven.make("n0-0-dn0", job(*(node(f"dn{number}") for number in range(5))))
    (error,) = driven.errors("n0-0-dn0")
    assert "dynamic_node_limit" in error.message
    assert "5 nodes" in error.message


async def test_a_specification_that_is_too_large_is_refused_by_the_name_of_the_setting() -> None:
    settings = PropellerSettings(DATA, "s3://flyte/data", output_limit=2000)
    driven = await dynamic(settings).start()
    await driven.make("n0", job(*(node(f"dn{number}") for number in range(100))))
    (error,) = driven.errors("n0")
    assert "output_limit" in error.message
    assert "futures.pb" in error.message
