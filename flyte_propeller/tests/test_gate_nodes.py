"""Gate nodes: they sleep, wait for a signal, or wait for an approval."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.admin.signal_pb2 import Signal, SignalGetOrCreateRequest
from flyteidl.core.execution_pb2 import ExecutionError
from flyteidl.core.literals_pb2 import Literal, LiteralMap, Primitive, Scalar
from flyteidl.core.types_pb2 import SimpleType

from driving import SUCCESS, Driven, integer, task, workflow
from flyte_core.errors import InvalidInput
from flyte_propeller.testing import RecordingAdmin


def gate(kind: str, condition: dict[str, Any], *after: str, **fields: Any) -> dict[str, Any]:
    return {**task(*after), "kind": "gate", "task": None, "gate": {"kind": kind, kind: condition}, **fields}


def wait(*after: str, **fields: Any) -> dict[str, Any]:
    condition = {"signalId": "how-many", "outputVariableName": "o", "type": {"simple": "INTEGER"}}
    return gate("signal", condition, *after, **fields)


def approve(*after: str, **fields: Any) -> dict[str, Any]:
    return gate("approve", {"signalId": "go-ahead"}, *after, **fields)


def sleep(seconds: int, *after: str, **fields: Any) -> dict[str, Any]:
    return {**gate("sleep", {"duration": f"{seconds}s"}, *after, **fields), "inputBindings": []}


def boolean(value: bool) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(boolean=value)))


async def set_signal(driven: Driven, name: str, value: Literal) -> None:
    signal = driven.admin.signals[name]
    signal.value.CopyFrom(value)
    driven.propeller.signal_set(signal.id)
    await driven.attend()


async def test_the_value_of_a_signal_is_the_output() -> None:
    driven = await Driven(workflow({"w": wait(), "b": task("w")})).start()
    assert driven.of("w") == ["QUEUED", "RUNNING"]
    assert driven.admin.signals["how-many"].type.simple == SimpleType.INTEGER
    await set_signal(driven, "how-many", integer(9))
    assert driven.of("w")[-1] == "SUCCEEDED"
    assert await driven.read("w/data/0/outputs.pb") == LiteralMap(literals={"o": integer(9)})
    assert driven.host.contexts["x-b-0"].inputs.literals["i0"] == integer(9)


async def test_a_signal_that_nobody_announces_is_found_by_looking() -> None:
    driven = await Driven(workflow({"w": wait()})).start()
    driven.admin.signals["how-many"].value.CopyFrom(integer(9))
    await driven.pass_time(0.3)
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_an_approval_lets_the_inputs_through_also_after_a_restart() -> None:
    approved = {"var": "i", "binding": {"promise": {"nodeId": "ok", "var": "i0"}}}
    last = {**task("ok"), "inputBindings": [approved]}
    driven = await Driven(workflow({"a": task(), "ok": approve("a"), "b": last})).start()
    await driven.show("a", SUCCESS)
    assert driven.admin.signals["go-ahead"].type.simple == SimpleType.BOOLEAN
    driven.new_propeller()
    await driven.attend()
    await set_signal(driven, "go-ahead", boolean(True))
    assert driven.host.contexts["x-b-0"].inputs.literals["i"] == integer(1)


async def test_a_rejection_fails_the_node_with_upstreams_words() -> None:
    driven = await Driven(workflow({"a": task(), "ok": approve("a")})).start()
    await driven.show("a", SUCCESS)
    await set_signal(driven, "go-ahead", boolean(False))
    (error,) = driven.errors("ok")
    assert (error.code, error.kind) == ("ReceivedRejectSignal", ExecutionError.USER)
    assert error.message == "received a reject signal to disapprove the node input values"
    assert driven.lines[-1] == "workflow FAILED"


async def test_an_approval_that_is_no_boolean_fails_the_node() -> None:
    driven = await Driven(workflow({"ok": approve()})).start()
    await set_signal(driven, "go-ahead", integer(1))
    (error,) = driven.errors("ok")
    assert "non-boolean" in error.message


async def test_a_sleep_ends_when_its_time_is_over_and_not_before() -> None:
    driven = await Driven(workflow({"s": sleep(60), "b": task("s") | {"inputBindings": []}})).start()
    assert driven.of("s") == ["QUEUED", "RUNNING"]
    await driven.pass_time(59)
    driven.new_propeller()
    await driven.attend()
    assert driven.of("s") == ["QUEUED", "RUNNING"]
    await driven.pass_time(1)
    assert driven.of("s")[-1] == "SUCCEEDED"
    assert driven.of("b") == ["QUEUED", "RUNNING"]


@pytest.mark.parametrize(
    "gate_node", [wait(executionDeadline="10s"), sleep(60, executionDeadline="10s")], ids=["wait", "sleep"]
)
async def test_a_gate_that_takes_too_long_fails(gate_node: dict[str, Any]) -> None:
    driven = await Driven(workflow({"g": gate_node})).start()
    await driven.pass_time(11)
    (error,) = driven.errors("g")
    assert error.code == "RetriesExhausted|TimeoutExpired"
    assert driven.lines[-1] == "workflow FAILED"


async def test_a_gate_that_may_wait_again_does_without_a_place() -> None:
    nodes = {"w": wait(executionDeadline="10s", retry={"minAttempts": 2}), "a": task()}
    driven = await Driven(workflow(nodes, executionConfig={"MaxParallelism": 1})).start()
    await driven.pass_time(11)
    assert driven.of("w") == ["QUEUED", "RUNNING"]
    assert driven.of("a") == ["QUEUED", "RUNNING"]
    await set_signal(driven, "how-many", integer(4))
    assert await driven.read("w/data/1/outputs.pb") == LiteralMap(literals={"o": integer(4)})
    await driven.show("a", SUCCESS)
    assert driven.lines[-1] == "workflow SUCCEEDED"


async def test_gates_take_no_places_of_max_parallelism() -> None:
    nodes = {"w": wait(), "s": sleep(60), "a": task(), "b": task()}
    driven = await Driven(workflow(nodes, executionConfig={"MaxParallelism": 1})).start()
    assert driven.of("w")[-1] == driven.of("s")[-1] == "RUNNING"
    assert len(driven.host.alive) == 1
    driven.new_propeller()
    await driven.attend()
    assert len(driven.host.alive) == 1
    await driven.show("a", SUCCESS)
    await driven.show("b", SUCCESS)
    assert driven.of("b")[-1] == "SUCCEEDED"


async def test_a_hundred_gates_keep_nothing_else_from_starting() -> None:
    nodes = {f"s{i}": sleep(60) for i in range(120)} | {"a": task()}
    driven = await Driven(workflow(nodes, executionConfig={"MaxParallelism": 2})).start()
    assert driven.of("a")[-1] == "RUNNING"


async def test_an_abort_ends_a_gate() -> None:
    driven = await Driven(workflow({"w": wait()})).start()
    await driven.abort()
    assert driven.of("w")[-1] == "ABORTED"
    assert driven.lines[-1] == "workflow ABORTED"
    assert not await driven.exists()


async def test_a_signal_that_the_control_plane_refuses_fails_the_gate() -> None:
    class Refusing(RecordingAdmin):
        async def get_or_create_signal(self, request: SignalGetOrCreateRequest) -> Signal:
            raise InvalidInput("missing id.signal_id")

    driven = Driven(workflow({"w": wait()}))
    driven.use_admin(Refusing())
    await driven.start()
    (error,) = driven.errors("w")
    assert "missing id.signal_id" in error.message


async def test_a_gate_that_waits_for_nothing_is_named() -> None:
    driven = await Driven(workflow({"odd": {"kind": "gate", "gate": {"kind": "approve"}}})).start()
    (error,) = driven.errors("workflow")
    assert "'odd'" in error.message


async def test_a_sleep_may_be_the_case_of_a_branch() -> None:
    condition = {
        "comparison": {
            "operator": "GT",
            "leftValue": {"primitive": {"integer": "2"}},
            "rightValue": {"primitive": {"integer": "1"}},
        }
    }
    choice = {"kind": "branch", "branch": {"if": {"condition": condition, "then": "s"}, "elseFail": {"message": "no"}}}
    manifest = workflow({"c": {**choice, "inputBindings": []}})
    manifest["spec"]["nodes"]["s"] = {"id": "s", "name": "s", **{k: v for k, v in sleep(5).items() if k != "after"}}
    driven = await Driven(manifest).start()
    assert driven.of("c-0-s")[-1] == "RUNNING"
    await driven.pass_time(5)
    assert driven.of("c")[-1] == "SUCCEEDED"
    assert driven.lines[-1] == "workflow SUCCEEDED"
