"""`flyte signal`: values are typed by what the signal waits for."""

from __future__ import annotations

import json

import grpc
import pytest
from flyteidl.admin.signal_pb2 import SignalGetOrCreateRequest, SignalListRequest
from flyteidl.core.identifier_pb2 import SignalIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.types_pb2 import LiteralType, SimpleType
from flyteidl.service.signal_pb2_grpc import SignalServiceStub

from flyte_cli.showing.literal_values import plain
from registering import WHERE

TYPES = {
    "ok": LiteralType(simple=SimpleType.BOOLEAN),
    "count": LiteralType(simple=SimpleType.INTEGER),
    "title": LiteralType(simple=SimpleType.STRING),
    "sizes": LiteralType(collection_type=LiteralType(simple=SimpleType.FLOAT)),
}
WAITING = WorkflowExecutionIdentifier(name="gated1", **WHERE)


@pytest.fixture(scope="module")
def signals(up):
    with grpc.insecure_channel(f"127.0.0.1:{up.server.ports[0]}") as channel:
        yield SignalServiceStub(channel)


@pytest.fixture(scope="module")
def gated(up, signals) -> str:
    """An execution of which the data plane has asked for signals."""
    up.register("gated", "sleep 60")
    up.launch("gated", WAITING.name)
    for name, wanted in TYPES.items():
        identifier = SignalIdentifier(signal_id=name, execution_id=WAITING)
        signals.GetOrCreateSignal(SignalGetOrCreateRequest(id=identifier, type=wanted))
    yield WAITING.name
    up.flyte("terminate", WAITING.name)


def value(signals, name: str) -> object:
    found = signals.ListSignals(SignalListRequest(workflow_execution_id=WAITING, limit=100)).signals
    [signal] = [each for each in found if each.id.signal_id == name]
    return plain(signal.value)


def test_what_is_waited_for_is_listed(up, gated) -> None:
    rows = {line.split()[0]: line.split()[1:] for line in up.flyte("signal", "list", gated).splitlines()}
    assert rows["count"][:1] == ["INTEGER"]
    assert set(TYPES) < set(rows)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [("count", "3", 3), ("title", "007", "007"), ("title", "a: b", "a: b"), ("sizes", "[1, 2.5]", [1.0, 2.5])],
)
def test_a_value_gets_the_signals_type(up, gated, signals, name, text, wanted) -> None:
    assert name in up.flyte("signal", "set", gated, name, text)
    assert value(signals, name) == wanted


@pytest.mark.parametrize(("verb", "wanted"), [("reject", False), ("approve", True)])
def test_a_gate_is_answered(up, gated, signals, verb, wanted) -> None:
    [row] = json.loads(up.flyte("signal", verb, gated, "ok", "-o", "json"))
    assert row["id"]["signal_id"] == "ok"
    assert value(signals, "ok") is wanted


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("set", "gated1", "count", "three"), "count waits for INTEGER: 'three' is no int"),
        (("set", "gated1", "sizes", '[1, "x"]'), "sizes waits for list[FLOAT]: 'x' is no float"),
        (("set", "gated1", "nosuch", "1"), "there are: "),
        (("approve", "gated1", "title"), "flyte signal set gated1 title VALUE"),
        (("approve", "nosuch", "ok"), "nosuch"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_set_is_explained(up, gated, arguments, wanted) -> None:
    line = up.flyte("signal", *arguments, code=1)
    assert wanted in line
    assert line.count("\n") == 1
