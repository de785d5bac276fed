"""Array nodes: a task for each element of a list, told as one task execution, ended by what becomes of all of them."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.core.execution_pb2 import TaskExecution, TaskLog
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.event.event_pb2 import ExternalResourceInfo

from driving import DATA, RUNNING, SUCCESS, Driven, failed, integer, task, workflow
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo
from map_events import MAP

INTEGER = {"simple": "INTEGER"}


def template(output: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": {"resourceType": "TASK", "project": "p", "domain": "d", "name": "mapped", "version": "v"},
        "type": "python-task",
        "interface": {"outputs": {"variables": {"o": {"type": output}}}},
    }


def numbers(count: int) -> dict[str, Any]:
    """Return a binding to a list of so many numbers."""
    items = [{"scalar": {"primitive": {"integer": str(number)}}} for number in range(count)]
    return {"collection": {"bindings": items}}


def mapping(size: int, *, sub: dict[str, Any] | None = None, node: dict[str, Any] | None = None, **array: Any) -> Any:
    """Return an array node over a list of that size.

    :param sub: fields of the node of one element
    :param array: fields of the array
    """
    element = {"id": "mapped", "kind": "task", "task": "m", **(sub or {})}
    fields = {"Parallelism": 0, "MinSuccessRatio": 1.0, "MinSuccesses": None, "BoundInputs": None, **array}
    bindings = [{"var": "x", "binding": numbers(size)}]
    return {
        "kind": "array",
        "array": {"SubNodeSpec": element, **fields},
        "inputBindings": bindings,
        "after": (),
        **(node or {}),
    }


def flow(nodes: dict[str, Any], *, output: dict[str, Any] | None = None, **top: Any) -> Driven:
    listed = {"collectionType": INTEGER} if output is None else output
    plain = workflow({})["tasks"]["t"]
    return Driven(workflow(nodes, tasks={"t": plain, "m": template(listed)}, **top))


def elements(driven: Driven, phase: str = "") -> list[ExternalResourceInfo]:
    """Return what was told of elements, in the events of that phase."""
    return [
        element
        for request in driven.admin.events
        if getattr(request.event, "task_type", "") == MAP
        and phase in ("", TaskExecution.Phase.Name(request.event.phase))
        for element in request.event.metadata.external_resources
    ]


def told(driven: Driven, phase: str = "") -> list[tuple[int, int, str]]:
    return [(e.index, e.retry_attempt, TaskExecution.Phase.Name(e.phase)) for e in elements(driven, phase)]


async def outputs(driven: Driven) -> list[int | None]:
    literal = (await driven.read("m/data/0/outputs.pb")).literals["o"]
    assert literal.HasField("collection")
    return [
        None if item.scalar.HasField("none_type") else item.scalar.primitive.integer
        for item in literal.collection.literals
    ]


async def test_every_element_runs_and_their_outputs_are_a_list_in_order() -> None:
    driven = flow({"m": mapping(3), "after": task("m")})
    for element in range(3):
        driven.host.outputs[f"m-0-n{element}"] = LiteralMap(literals={"o": integer(10 * element)})
    await driven.start()
    for element in (2, 0, 1):
        await driven.show(f"m-0-n{element}", SUCCESS)
    assert await outputs(driven) == [0, 10, 20]
    assert driven.of("m") == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert [driven.of("m/0")[0], driven.of("m/0")[-1]] == ["QUEUED", "SUCCEEDED"]
    assert driven.of("after")[-1] == "RUNNING"
    assert told(driven, "SUCCEEDED") == [(0, 0, "SUCCEEDED"), (1, 0, "SUCCEEDED"), (2, 0, "SUCCEEDED")]


async def test_an_element_knows_its_index_its_folders_and_the_inputs_of_all() -> None:
    driven = await flow({"m": mapping(2)}).start()
    context = driven.host.contexts["x-m-0-n1-0"]
    folder = f"{DATA}/p-d-x/m/data"
    assert (context.paths.inputs, context.paths.output_prefix) == (f"{folder}/inputs.pb", f"{folder}/0/1/0")
    assert context.env["BATCH_JOB_ARRAY_INDEX_VAR_NAME"] == "FLYTE_K8S_ARRAY_INDEX"
    assert context.env["FLYTE_K8S_ARRAY_INDEX"] == "1"
    assert context.spec_node_id == "n1"
    assert context.inputs.literals["x"] == integer(1)
    assert context.template.interface.outputs.variables["o"].type.simple == 1


async def test_elements_begin_as_places_come_free() -> None:
    driven = await flow({"m": mapping(5, Parallelism=2)}).start()
    assert sorted(driven.host.alive) == ["x-m-0-n0-0", "x-m-0-n1-0"]
    await driven.show("m-0-n1", SUCCESS)
    assert sorted(driven.host.alive) == ["x-m-0-n0-0", "x-m-0-n2-0"]


async def test_without_a_number_each_element_takes_a_place_of_the_workflow() -> None:
    nodes = {"m": mapping(5, Parallelism=None), "other": task()}
    driven = await flow(nodes, executionConfig={"MaxParallelism": 3}).start()
    assert sorted(driven.host.alive) == ["x-m-0-n0-0", "x-m-0-n1-0", "x-other-0"]
    await driven.show("other", SUCCESS)
    assert sorted(driven.host.alive) == ["x-m-0-n0-0", "x-m-0-n1-0", "x-m-0-n2-0"]
    driven.new_propeller()
    for element in range(5):
        await driven.show(f"m-0-n{element}", SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_an_array_with_a_number_of_its_own_takes_one_place_however_many_elements_run() -> None:
    nodes = {"m": mapping(5), "other": task(), "third": task()}
    driven = await flow(nodes, executionConfig={"MaxParallelism": 2}).start()
    assert sorted(driven.host.alive) == [f"x-m-0-n{element}-0" for element in range(5)] + ["x-other-0"]
    for element in range(5):
        await driven.show(f"m-0-n{element}", SUCCESS)
    assert sorted(driven.host.alive) == ["x-other-0", "x-third-0"]


async def test_an_element_is_tried_again_by_itself_and_its_attempts_are_told_apart() -> None:
    driven = await flow({"m": mapping(2, sub={"retry": {"minAttempts": 2}})}).start()
    await driven.show("m-0-n0", failed("Boom", "no luck"))
    assert sorted(driven.host.alive) == ["x-m-0-n0-1", "x-m-0-n1-0"]
    assert driven.host.contexts["x-m-0-n0-1"].paths.output_prefix == f"{DATA}/p-d-x/m/data/0/0/1"
    await driven.show("m-0-n0", SUCCESS, 1)
    await driven.show("m-0-n1", SUCCESS)
    assert await outputs(driven) == [1, 1]
    first = [line for line in told(driven, "RUNNING") if line[0] == 0]
    assert first == [(0, 0, "QUEUED"), (0, 0, "FAILED"), (0, 1, "QUEUED"), (0, 1, "SUCCEEDED")]
    assert told(driven, "SUCCEEDED") == [(0, 1, "SUCCEEDED"), (1, 0, "SUCCEEDED")]
    assert {e.external_id for e in elements(driven) if e.index == 0} == {"x-m-0-n0-0", "x-m-1-n0-1"}


async def test_retries_and_interruptible_of_the_map_itself_are_those_of_its_elements() -> None:
    driven = await flow({"m": mapping(1, node={"retry": {"minAttempts": 3}, "interruptible": True})}).start()
    for attempt in range(3):
        await driven.show("m-0-n0", failed("Boom", "no luck"), attempt)
    assert "[0]: [3/3] currentAttempt done" in driven.errors("m")[0].message
    assert driven.host.contexts["x-m-0-n0-0"].interruptible


async def test_an_element_waits_for_the_end_of_its_last_attempt_and_no_other_element_takes_its_place() -> None:
    driven = await flow({"m": mapping(3, Parallelism=1, sub={"retry": {"minAttempts": 2}})}).start()
    driven.host.lingering.add("m-0-n0")
    await driven.show("m-0-n0", failed())
    assert driven.host.alive == {"x-m-0-n0-0"}
    driven.host.lingering.clear()
    driven.wake("m-0-n0")
    await driven.attend()
    assert driven.host.alive == {"x-m-0-n0-1"}


async def test_one_element_too_many_that_fails_ends_the_others_and_is_named() -> None:
    driven = await flow({"m": mapping(4)}).start()
    await driven.show("m-0-n3", SUCCESS)
    await driven.show("m-0-n1", failed("Bad", "it broke", retryable=False))
    (error,) = driven.errors("m")
    assert (error.code, error.kind) == ("Bad", error.USER)
    assert error.message == "1 of 4 elements failed, 4 must succeed\n[1]: it broke"
    assert driven.errors("m/0") == [error]
    assert driven.of("m/0")[-1] == "FAILED"
    ended = {(0, 0, "ABORTED"), (1, 0, "FAILED"), (2, 0, "ABORTED")}
    assert set(told(driven, "FAILED")) == ended
    assert driven.host.alive == set()
    assert driven.lines[-1] == "workflow FAILED"


async def test_elements_of_one_failure_share_a_line() -> None:
    driven = await flow({"m": mapping(6, MinSuccesses=2, MinSuccessRatio=None, RunAllSubNodes=True)}).start()
    for element in (0, 1, 2, 5):
        await driven.show(f"m-0-n{element}", failed("Bad", "it broke", retryable=False))
    await driven.show("m-0-n3", failed("Bad", "differently", retryable=False))
    await driven.show("m-0-n4", SUCCESS)
    (error,) = driven.errors("m")
    assert error.message.splitlines()[1:] == ["[0-2][5]: it broke", "[3]: differently"]


async def test_where_enough_succeed_there_is_nothing_in_place_of_the_others() -> None:
    driven = await flow({"m": mapping(5, MinSuccessRatio=0.6000000238418579)}).start()
    for element in (0, 4):
        await driven.show(f"m-0-n{element}", failed(retryable=False))
    assert driven.of("m")[-1] == "RUNNING"
    for element in (1, 2, 3):
        await driven.show(f"m-0-n{element}", SUCCESS)
    assert await outputs(driven) == [None, 1, 1, 1, None]
    assert [phase for _, _, phase in told(driven, "SUCCEEDED")] == ["FAILED", *["SUCCEEDED"] * 3, "FAILED"]


async def test_enough_successes_wait_for_the_elements_that_still_run() -> None:
    driven = await flow({"m": mapping(3, MinSuccesses=1, MinSuccessRatio=None)}).start()
    await driven.show("m-0-n0", SUCCESS)
    await driven.show("m-0-n1", SUCCESS)
    assert driven.of("m")[-1] == "RUNNING"
    await driven.show("m-0-n2", failed(retryable=False))
    assert driven.of("m")[-1] == "SUCCEEDED"


async def test_more_successes_than_elements_are_refused() -> None:
    driven = await flow({"m": mapping(2, MinSuccesses=3, MinSuccessRatio=None)}).start()
    (error,) = driven.errors("m")
    assert error.message == "3 elements must succeed, there are 2"
    assert driven.host.alive == set()


async def test_an_empty_list_gives_an_empty_list_without_any_task_execution() -> None:
    driven = await flow({"m": mapping(0)}).start()
    assert await outputs(driven) == []
    assert driven.of("m") == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert driven.of("m/0") == []
    assert driven.lines[-1] == "workflow SUCCEEDED"


@pytest.mark.parametrize(
    ("bindings", "words"),
    [
        ([("x", 2), ("y", 3)], ["x has 2", "y has 3"]),
        ([], ["no input is a list"]),
    ],
    ids=["lengths", "no-list"],
)
async def test_lists_that_do_not_fit_are_named(bindings: list[tuple[str, int]], words: list[str]) -> None:
    given = [{"var": name, "binding": numbers(size)} for name, size in bindings]
    driven = await flow({"m": mapping(1, node={"inputBindings": given})}).start()
    (error,) = driven.errors("m")
    assert (error.code, error.kind) == ("InvalidArrayLength", error.USER)
    assert all(word in error.message for word in words), error.message


async def test_a_list_that_is_bound_is_whole_for_each_element() -> None:
    bindings = [{"var": "x", "binding": numbers(2)}, {"var": "all", "binding": numbers(7)}]
    driven = await flow({"m": mapping(1, BoundInputs=["all"], node={"inputBindings": bindings})}).start()
    inputs = driven.host.contexts["x-m-0-n1-0"].inputs.literals
    assert inputs["x"] == integer(1)
    assert len(inputs["all"].collection.literals) == 7
    assert len(driven.host.alive) == 2


async def test_with_inputs_of_their_own_elements_read_a_file_each() -> None:
    array = mapping(2, DataMode=1, IsOriginalSubNodeInterface=True)
    driven = await flow({"m": array}, output=INTEGER).start()
    assert driven.host.contexts["x-m-0-n1-0"].paths.inputs == f"{DATA}/p-d-x/m/data/0/1/inputs.pb"
    assert (await driven.read("m/data/0/1/inputs.pb")).literals["x"] == integer(1)
    for element in range(2):
        await driven.show(f"m-0-n{element}", SUCCESS)
    assert await outputs(driven) == [1, 1]


async def test_logs_of_elements_are_told_with_their_index() -> None:
    driven = await flow({"m": mapping(2)}).start()
    await driven.show("m-0-n1", PhaseInfo(TaskPhase.RUNNING, 1, logs=(TaskLog(uri="http://logs", name="Logs"),)))
    (log,) = [log for element in elements(driven) for log in element.logs]
    assert (log.uri, log.name) == ("http://logs", "Logs-1")


async def test_an_abort_ends_every_element() -> None:
    driven = await flow({"m": mapping(3, Parallelism=2)}).start()
    await driven.show("m-0-n0", RUNNING)
    await driven.abort()
    assert driven.of("m")[-1] == "ABORTED"
    assert driven.of("m/0")[-1] == "ABORTED"
    assert set(told(driven, "ABORTED")) == {(0, 0, "ABORTED"), (1, 0, "ABORTED")}
    assert driven.host.alive == set()
    assert driven.lines[-1] == "workflow ABORTED"


async def test_a_node_that_fails_beside_it_ends_every_element() -> None:
    driven = await flow({"m": mapping(2), "other": task()}).start()
    await driven.show("other", failed(retryable=False))
    assert driven.of("m")[-1] == "ABORTED"
    assert driven.host.alive == set()


async def test_an_element_that_takes_too_long_is_tried_again() -> None:
    sub = {"executionDeadline": "10s", "activeDeadline": "20s", "retry": {"minAttempts": 2}}
    driven = await flow({"m": mapping(2, sub=sub)}).start()
    await driven.show("m-0-n1", SUCCESS)
    await driven.pass_time(11)
    assert driven.host.alive == {"x-m-0-n0-1"}
    driven.new_propeller()
    await driven.pass_time(11)
    (error,) = driven.errors("m")
    assert error.code == "RetriesExhausted|TimeoutExpired"
    assert "[0]: [2/2] currentAttempt done" in error.message


@pytest.mark.parametrize("limit", ["executionDeadline", "activeDeadline"])
async def test_a_map_that_takes_too_long_ends_with_all_its_elements(limit: str) -> None:
    driven = await flow({"m": mapping(2, node={limit: "10s"})}).start()
    await driven.pass_time(11)
    assert driven.of("m")[-1] == "TIMED_OUT"
    assert driven.of("m/0")[-1] == "FAILED"
    assert driven.host.alive == set()
    assert driven.lines[-1] == "workflow FAILED"


async def test_nothing_is_lost_by_a_restart_at_any_time() -> None:
    driven = await flow({"m": mapping(4, Parallelism=2, sub={"retry": {"minAttempts": 2}})}).start()
    for element, attempt, info in [
        (0, 0, RUNNING),
        (0, 0, failed()),
        (1, 0, SUCCESS),
        (0, 1, SUCCESS),
        (3, 0, SUCCESS),
        (2, 0, SUCCESS),
    ]:
        driven.new_propeller()
        await driven.show(f"m-0-n{element}", info, attempt)
    assert await outputs(driven) == [1, 1, 1, 1]
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert driven.host.alive == set()


async def test_a_restart_while_an_attempt_still_ends_starts_no_second_one() -> None:
    driven = await flow({"m": mapping(1, sub={"retry": {"minAttempts": 2}})}).start()
    driven.host.lingering.add("m-0-n0")
    await driven.show("m-0-n0", failed())
    driven.new_propeller()
    await driven.attend()
    assert driven.host.alive == {"x-m-0-n0-0"}
    driven.host.lingering.clear()
    driven.new_propeller()
    await driven.attend()
    await driven.attend()
    assert driven.host.alive == {"x-m-0-n0-1"}


async def test_an_element_that_cannot_be_launched_fails_as_the_plugin_says() -> None:
    driven = flow({"m": mapping(2)})
    driven.host.refused["x-m-0-n1-0"] = failed("BadTaskSpecification", "no image", retryable=False)
    await driven.start()
    assert "[1]: no image" in driven.errors("m")[0].message
    assert driven.host.alive == set()


async def test_a_map_runs_within_a_sub_workflow_and_as_a_failure_node() -> None:
    inner = workflow({"m": mapping(2)}, outputs=[{"var": "o", "binding": {"promise": {"nodeId": "m", "var": "o"}}}])
    sub = {"kind": "workflow", "workflow": {"subWorkflowRef": "inner"}, "inputBindings": [], "after": ()}
    driven = flow({"s": sub, "bad": task("s")}, failure=mapping(2), subWorkflows={"inner": inner["spec"]})
    await driven.start()
    for element in range(2):
        await driven.show(f"s-0-m-0-n{element}", SUCCESS)
    assert driven.of("s")[-1] == "SUCCEEDED"
    await driven.show("bad", failed(retryable=False))
    for element in range(2):
        await driven.show(f"fn0-0-n{element}", SUCCESS)
    assert driven.of("fn0")[-1] == "SUCCEEDED"
    assert driven.lines[-1] == "workflow FAILED"


async def test_a_map_over_another_kind_of_node_is_refused_by_name() -> None:
    driven = await flow({"m": mapping(1, sub={"kind": "workflow", "workflow": {"subWorkflowRef": "s"}})}).start()
    (error,) = driven.errors("workflow")
    assert "'m' maps a workflow" in error.message


async def test_a_wide_map_begins_step_by_step_and_keeps_little_of_what_has_ended() -> None:
    driven = await flow({"m": mapping(1000)}).start()
    assert len(driven.host.alive) == 1000
    for element in range(1000):
        driven.host.shown[f"x-m-0-n{element}-0"] = SUCCESS if element != 999 else RUNNING
    driven.propeller.resync()
    await driven.attend()
    stored = await driven.stored()
    assert len(stored["status"]["flyteState"]["d"]) < 600
    await driven.show("m-0-n999", SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"
    assert len(driven.lines) < 60
