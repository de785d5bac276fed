"""Maps of launch plans: an execution for each element, and no task execution."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.execution_pb2 import ExecutionClosure
from flyteidl.core.execution_pb2 import ExecutionError, WorkflowExecution
from flyteidl.core.literals_pb2 import LiteralMap

from driving import Driven, integer, task, workflow
from flyte_core.identifiers import child_execution_name

PLAN = {"resourceType": "LAUNCH_PLAN", "project": "p", "domain": "d", "name": "plan", "version": "v"}


def mapped(size: int, **array: Any) -> dict[str, Any]:
    numbers = [{"scalar": {"primitive": {"integer": str(number)}}} for number in range(size)]
    element = {"id": "mapped", "kind": "workflow", "workflow": {"launchPlanRefId": PLAN}, **array.pop("sub", {})}
    fields = {"Parallelism": 0, "MinSuccessRatio": 1.0, "IsOriginalSubNodeInterface": True, **array}
    bindings = [{"var": "x", "binding": {"collection": {"bindings": numbers}}}]
    return {"kind": "array", "array": {"SubNodeSpec": element, **fields}, "inputBindings": bindings, "after": ()}


def child(element: int, attempt: int = 0) -> str:
    return child_execution_name("x", f"m-0-n{element}", attempt)


async def show(driven: Driven, name: str, phase: str, **fields: Any) -> None:
    driven.admin.closures[name] = ExecutionClosure(phase=WorkflowExecution.Phase.Value(phase), **fields)
    driven.propeller.resync()
    await driven.attend()


async def succeed(driven: Driven, element: int, value: int) -> None:
    outputs = {"values": LiteralMap(literals={"o": integer(value)})}
    await show(driven, child(element), "SUCCEEDED", outputs=outputs)


async def test_each_element_is_an_execution_with_its_own_input_and_their_outputs_are_a_list() -> None:
    driven = await Driven(workflow({"m": mapped(3, Parallelism=2), "after": task("m")})).start()
    assert list(driven.admin.children) == [child(0), child(1)]
    request = driven.admin.children[child(1)]
    assert request.inputs.literals["x"] == integer(1)
    assert request.spec.metadata.parent_node_execution.node_id == "m"
    await succeed(driven, 1, 11)
    driven.new_propeller()
    await succeed(driven, 2, 12)
    await succeed(driven, 0, 10)
    outputs = await driven.read("m/data/0/outputs.pb")
    assert list(outputs.literals["o"].collection.literals) == [integer(10), integer(11), integer(12)]
    assert driven.of("m") == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert driven.of("m/0") == []
    assert driven.of("after")[-1] == "RUNNING"


async def test_an_execution_that_fails_is_named_and_the_others_are_terminated() -> None:
    driven = await Driven(workflow({"m": mapped(2)})).start()
    error = ExecutionError(code="Boom", message="it broke", kind=ExecutionError.USER)
    await show(driven, child(1), "FAILED", error=error)
    assert driven.errors("m")[0].message == "1 of 2 elements failed, 2 must succeed\n[1]: it broke"
    assert list(driven.admin.causes) == [child(0)]
    assert driven.of("workflow")[-1] == "FAILED"


async def test_of_an_empty_list_what_other_nodes_take_is_an_empty_list() -> None:
    driven = await Driven(workflow({"m": mapped(0), "after": task("m")})).start()
    outputs = await driven.read("m/data/0/outputs.pb")
    assert outputs.literals["o"].HasField("collection")
    assert driven.of("after")[-1] == "RUNNING"
