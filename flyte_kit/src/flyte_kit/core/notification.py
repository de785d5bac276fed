"""Messages that are sent when an execution has ended."""

from __future__ import annotations

from collections.abc import Sequence

from flyteidl.admin.common_pb2 import EmailNotification, PagerDutyNotification, SlackNotification
from flyteidl.admin.common_pb2 import Notification as NotificationMessage
from flyteidl.core.execution_pb2 import WorkflowExecution

_TERMINAL = {
    WorkflowExecution.SUCCEEDED,
    WorkflowExecution.FAILED,
    WorkflowExecution.ABORTED,
    WorkflowExecution.TIMED_OUT,
}


class WorkflowExecutionPhase:
    """Phases of an execution, by the names that flytekit has for them."""

    UNDEFINED = WorkflowExecution.UNDEFINED
    QUEUED = WorkflowExecution.QUEUED
    RUNNING = WorkflowExecution.RUNNING
    SUCCEEDING = WorkflowExecution.SUCCEEDING
    SUCCEEDED = WorkflowExecution.SUCCEEDED
    FAILING = WorkflowExecution.FAILING
    FAILED = WorkflowExecution.FAILED
    ABORTED = WorkflowExecution.ABORTED
    TIMED_OUT = WorkflowExecution.TIMED_OUT
    ABORTING = WorkflowExecution.ABORTING

    @staticmethod
    def enum_to_string(phase: int) -> str:
        """Return a phase's name."""
        return str(WorkflowExecution.Phase.Name(phase))


class Notification:
    """A message.

    :ivar phases: terminal ones, after which it is sent
    :ivar recipients: e-mail addresses: Slack and PagerDuty take mail too
    """

    def __init__(self, phases: Sequence[int], recipients_email: Sequence[str]) -> None:
        if not phases:
            raise AssertionError("You must specify at least one phase for a notification.")
        wrong = [phase for phase in phases if phase not in _TERMINAL]
        if wrong:
            raise AssertionError(f"Invalid phase: {wrong[0]}. only terminal states are permitted for notifications")
        self.phases, self.recipients = list(phases), list(recipients_email)

    def message(self) -> NotificationMessage:
        """Return the notification as the wire has it."""
        raise NotImplementedError(f"{type(self).__name__}: use Email, PagerDuty or Slack")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Notification) and self.message() == other.message()

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.phases), tuple(self.recipients)))


class Email(Notification):
    """An e-mail."""

    def message(self) -> NotificationMessage:
        """Return the notification as the wire has it."""
        return NotificationMessage(phases=self.phases, email=EmailNotification(recipients_email=self.recipients))


class PagerDuty(Notification):
    """A mail to PagerDuty."""

    def message(self) -> NotificationMessage:
        """Return the notification as the wire has it."""
        mail = PagerDutyNotification(recipients_email=self.recipients)
        return NotificationMessage(phases=self.phases, pager_duty=mail)


class Slack(Notification):
    """A mail to Slack."""

    def message(self) -> NotificationMessage:
        """Return the notification as the wire has it."""
        return NotificationMessage(phases=self.phases, slack=SlackNotification(recipients_email=self.recipients))
