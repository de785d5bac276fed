"""Port for messages to people about executions that have ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flyteidl.admin.notification_pb2 import EmailMessage
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier


@dataclass(frozen=True, slots=True)
class EndNotice:
    """A message that an execution has ended.

    :ivar id: stable: the same message sent twice carries the same id
    :ivar phase: with which it ended, by the name on the wire (``FAILED``)
    :ivar email: recipients, sender, subject and body, ready to be sent
    """

    id: str
    execution: WorkflowExecutionIdentifier
    phase: str
    email: EmailMessage


class Notifier(Protocol):
    """A way to people."""

    async def send(self, notice: EndNotice) -> None:
        """Send one message. Raising has it sent again later, a bounded number of times; returning means that the next
        system on the way has it.
        """
        ...
