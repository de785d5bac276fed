"""The suite for event sinks."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime

from flyteidl.admin.event_pb2 import WorkflowExecutionEventRequest
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.event.event_pb2 import WorkflowExecutionEvent

from flyte_core.events import EventSink, RecordedEvent
from flyte_core.testing.conformance.findings import Findings


async def check_event_sink(sink: EventSink, events: Sequence[RecordedEvent] = ()) -> None:
    """Check a sink: it has a name, and takes an event again that it took before.

    :param events: to be published; by default one workflow event
    :raises Nonconforming: with all findings
    """
    findings = Findings(sink)
    findings.expect(that=bool(sink.name), otherwise="name is empty")
    execution = WorkflowExecutionIdentifier(project="p", domain="d", name="exec")
    request = WorkflowExecutionEventRequest(event=WorkflowExecutionEvent(execution_id=execution))
    for event in events or (RecordedEvent("event-1", datetime(2024, 1, 1, tzinfo=UTC), request),):
        before = copy.deepcopy(event)
        with findings.attempt(f"publish of {event.id}"):
            await sink.publish(event)
            await sink.publish(event)
        findings.expect(that=event == before, otherwise="publish changes the event")
    findings.close()
