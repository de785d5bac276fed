"""Recorded events on their way to the sinks: queued with the event, delivered at least once, in order for each sink."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from flyteidl.admin.event_pb2 import NodeExecutionEventRequest, WorkflowExecutionEventRequest
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution

from flyte_core.events import ExecutionEventRequest


def event_id(request: ExecutionEventRequest) -> str:
    """Return the stable id of an event: of what it is about, and its phase (and version, for tasks)."""
    event = request.event
    if isinstance(request, WorkflowExecutionEventRequest):
        execution = event.execution_id
        parts = [execution.project, execution.domain, execution.name, WorkflowExecution.Phase.Name(event.phase)]
    elif isinstance(request, NodeExecutionEventRequest):
        execution = event.id.execution_id
        phase = NodeExecution.Phase.Name(event.phase)
        parts = [execution.project, execution.domain, execution.name, event.id.node_id, phase]
    else:
        node = event.parent_node_execution_id
        execution = node.execution_id
        phase = f"{TaskExecution.Phase.Name(event.phase)}.{event.phase_version}"
        attempt = f"{event.task_id.name}.{event.retry_attempt}"
        parts = [execution.project, execution.domain, execution.name, node.node_id, attempt, phase]
    return "/".join(parts)


def outbox_values(
    requests: Iterable[ExecutionEventRequest], sinks: Sequence[str], now: datetime
) -> list[dict[str, Any]]:
    """Return the rows that queue each event for each sink."""
    return [
        {
            "event_id": event_id(request)[:512],
            "sink": sink,
            "message_type": request.DESCRIPTOR.full_name,
            "payload": request.SerializeToString(),
            "recorded_at": now,
            "available_at": now,
        }
        for request in requests
        for sink in sinks
    ]
