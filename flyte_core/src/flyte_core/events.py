"""Port for what happens: control-plane events for the world outside (notifications, audit, message buses).

Not to be confused with the events that the propeller reports to the control plane; those are the flyteidl messages
themselves. A sink gets each of them after it was recorded, at least once, with a stable id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeAlias

from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    TaskExecutionEventRequest,
    WorkflowExecutionEventRequest,
)

ExecutionEventRequest: TypeAlias = WorkflowExecutionEventRequest | NodeExecutionEventRequest | TaskExecutionEventRequest
"""What the propeller reports: one of the three event requests of flyteidl.admin."""


class Verdict(Enum):
    """How the control plane answered one event that the propeller reported."""

    RECORDED = "recorded"
    ALREADY_RECORDED = "already recorded"
    TERMINAL = "the execution, node or task is already terminal"
    UNKNOWN_EXECUTION = "no such execution"
    FOREIGN_CLUSTER = "the execution belongs to another cluster"
    REJECTED = "invalid or too large"


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that the control plane has recorded.

    :ivar id: stable: the same event delivered twice carries the same id
    :ivar recorded_at: when the control plane committed it
    :ivar request: the message as received
    """

    id: str
    recorded_at: datetime
    request: ExecutionEventRequest


class EventSink(Protocol):
    """A receiver of recorded events."""

    name: str

    async def publish(self, event: RecordedEvent) -> None:
        """Take one event. Raising makes the outbox deliver it again later; it is never dropped silently."""
        ...
