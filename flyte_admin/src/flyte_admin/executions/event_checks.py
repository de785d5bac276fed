"""Checks of an event before anything is looked up, so that no database ever sees what it cannot store."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    TaskExecutionEventRequest,
    WorkflowExecutionEventRequest,
)
from flyteidl.core.identifier_pb2 import Identifier, NodeExecutionIdentifier, ResourceType, WorkflowExecutionIdentifier
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_admin.executions import phases
from flyte_core.errors import InvalidInput
from flyte_core.events import ExecutionEventRequest
from flyte_core.identifiers import check_identifier, check_name

PROPELLER = "propeller"
"""Producer id of a data plane that serves any cluster (upstream's default)."""

LONGEST_URI = 2048
"""Characters of an input URI; the columns hold no more."""
_EARLIEST, _LATEST = -62135596800, 253402300799
"""Seconds of the years 1 and 9999, the ends of what a timestamp may say."""


def check_event(request: ExecutionEventRequest) -> None:
    """Check ids, phase and times of an event.

    :raises InvalidInput: naming the field
    """
    match request:
        case TaskExecutionEventRequest(event=event):
            _check_task(event.task_id)
            _check_node(event.parent_node_execution_id, "event.parent_node_execution_id")
            _check_times(event, "occurred_at", "reported_at")
            _check_uri(event.input_uri)
            ranks = phases.TASK_RANK
        case NodeExecutionEventRequest(event=event):
            _check_node(event.id, "event.id")
            _check_times(event, "occurred_at", "reported_at")
            _check_uri(event.input_uri)
            ranks = phases.NODE_RANK
        case WorkflowExecutionEventRequest(event=event):
            _check_execution(event.execution_id, "event.execution_id")
            _check_times(event, "occurred_at")
            ranks = phases.EXECUTION_RANK
    if event.phase not in ranks:
        raise InvalidInput(f"invalid value for event.phase: {event.phase} is no phase", field="event.phase")


def _check_execution(execution: WorkflowExecutionIdentifier, field: str) -> None:
    _check_part(execution.project, field, "project")
    _check_part(execution.domain, field, "domain")
    _check_part(execution.name, field, "name")


def _check_part(value: str, field: str, part: str) -> None:
    # Nearly all names are short and plain: say so cheaply, this runs for each event.
    if not (0 < len(value) < 64 and value.isascii() and value.isprintable()):
        check_name(value, f"{field}.{part}")


def _check_node(node: NodeExecutionIdentifier, field: str) -> None:
    _check_part(node.node_id, field, "node_id")
    _check_execution(node.execution_id, f"{field}.execution_id")


def _check_uri(uri: str) -> None:
    if len(uri) > LONGEST_URI or "\0" in uri:
        raise InvalidInput(
            f"invalid value for event.input_uri: {len(uri)} characters, at most {LONGEST_URI} without NUL are allowed",
            field="event.input_uri",
        )


def _check_task(task: Identifier) -> None:
    if task.resource_type != ResourceType.TASK:
        check_identifier(task, "event.task_id", resource_type=ResourceType.TASK)
    for part in ("project", "domain", "name", "version"):
        _check_part(getattr(task, part), "event.task_id", part)


def _check_times(event: Any, *names: str) -> None:
    if not event.HasField("occurred_at"):
        raise InvalidInput("missing event.occurred_at", field="event.occurred_at")
    for name in names:
        timestamp: Timestamp = getattr(event, name)
        if not (_EARLIEST <= timestamp.seconds <= _LATEST and 0 <= timestamp.nanos < 1_000_000_000):
            raise InvalidInput(f"invalid value for event.{name}: no time of the years 1 to 9999", field=f"event.{name}")
