"""Signals: created by the data plane, set by people, checked against their type."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from flyteidl.admin.signal_pb2 import SignalGetOrCreateRequest, SignalListRequest, SignalSetRequest
from flyteidl.core.identifier_pb2 import SignalIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_core.errors import InvalidInput, NotFound

EXECUTION = WorkflowExecutionIdentifier(project="golden", domain="development", name="waits")
SIGNAL = SignalIdentifier(signal_id="how-many", execution_id=EXECUTION)
ASK = SignalGetOrCreateRequest(id=SIGNAL, type=LiteralType(simple=SimpleType.INTEGER))


def value(**primitive: Any) -> SignalSetRequest:
    return SignalSetRequest(id=SIGNAL, value={"scalar": {"primitive": primitive}})


@pytest.fixture
async def signals(control_plane: Any, make_request: Any) -> Any:
    await control_plane.executions.create(make_request("waits"))
    return control_plane.signals


async def test_a_signal_has_no_value_until_it_is_set(signals: Any) -> None:
    assert not (await signals.get_or_create(ASK)).HasField("value")
    await signals.set(value(integer=9))
    assert (await signals.get_or_create(ASK)).value.scalar.primitive.integer == 9


async def test_many_who_ask_at_once_create_one_signal(signals: Any) -> None:
    await asyncio.gather(*(signals.get_or_create(ASK) for _ in range(20)))
    found = await signals.list(SignalListRequest(workflow_execution_id=EXECUTION, limit=100))
    assert [signal.id.signal_id for signal in found.signals] == ["how-many"]
    assert found.signals[0].type.simple == SimpleType.INTEGER


async def test_a_value_of_another_type_is_refused(signals: Any) -> None:
    await signals.get_or_create(ASK)
    with pytest.raises(InvalidInput, match="expected INTEGER, got STRING"):
        await signals.set(value(string_value="nine"))
    assert not (await signals.get_or_create(ASK)).HasField("value")


async def test_a_signal_nobody_waits_for_cannot_be_set(signals: Any) -> None:
    with pytest.raises(InvalidInput, match="failed to validate that signal"):
        await signals.set(value(integer=9))


async def test_a_signal_of_an_unknown_execution_is_not_found(signals: Any) -> None:
    stranger = WorkflowExecutionIdentifier(project="golden", domain="development", name="nobody")
    request = SignalGetOrCreateRequest(id={"signal_id": "s", "execution_id": stranger}, type=ASK.type)
    with pytest.raises(NotFound, match="nobody"):
        await signals.get_or_create(request)


async def test_who_waits_in_this_process_hears_of_a_value_and_not_of_a_refused_one(signals: Any) -> None:
    heard: list[str] = []
    signals.listeners.append(lambda signal: heard.append(signal.signal_id))
    await signals.get_or_create(ASK)
    with pytest.raises(InvalidInput):
        await signals.set(value(string_value="nine"))
    assert heard == []
    await signals.set(value(integer=9))
    assert heard == ["how-many"]
