"""Writes the messages, of templates that know upstream's placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flyteidl.admin.common_pb2 import Notification
from flyteidl.admin.execution_pb2 import ExecutionClosure, ExecutionSpec
from flyteidl.admin.notification_pb2 import EmailMessage
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flyte_admin.notifications.choice import recipients

_PLACEHOLDER = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")
_LONGEST_ERROR = 4096


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """What is sent when executions end. Subject and body may have the placeholders ``{{ project }}``, ``{{ domain }}``,
    ``{{ name }}``, ``{{ phase }}``, ``{{ error }}``, and ``{{ workflow.name }}``, ``{{ launch_plan.version }}`` and the
    like for the four parts of either; the error begins with a space, and is empty where there is none.

    :ivar sender: address of the sender
    :ivar body: plain text; an e-mail notification with a ``template`` of its own has that instead
    """

    sender: str = "flyte@localhost"
    subject: str = "{{ workflow.name }} {{ phase }} in {{ project }}/{{ domain }} ({{ name }})"
    body: str = (
        "The execution {{ name }} of the launch plan {{ launch_plan.name }} (version {{ launch_plan.version }}) in "
        "{{ project }}/{{ domain }} has {{ phase }}.{{ error }}"
    )


def message(
    settings: NotificationSettings,
    notification: Notification,
    execution: WorkflowExecutionIdentifier,
    spec: ExecutionSpec,
    closure: ExecutionClosure,
    *,
    phase: str,
) -> EmailMessage:
    """Return the message.

    :param phase: in which the execution ended, by its name on the wire
    """
    values = _values(execution, spec, closure, phase)
    body = notification.email.template or settings.body
    return EmailMessage(
        recipients_email=recipients(notification),
        sender_email=settings.sender,
        subject_line=" ".join(_filled(settings.subject, values).split()),
        body=_filled(body, values),
    )


def _values(
    execution: WorkflowExecutionIdentifier, spec: ExecutionSpec, closure: ExecutionClosure, phase: str
) -> Mapping[str, str]:
    values = {part: getattr(execution, part) for part in ("project", "domain", "name")}
    values["phase"] = phase.lower()
    values["error"] = _error_text(closure)
    for entity, identifier in (("workflow", closure.workflow_id), ("launch_plan", spec.launch_plan)):
        for part in ("project", "domain", "name", "version"):
            values[f"{entity}.{part}"] = getattr(identifier, part)
    return values


def _error_text(closure: ExecutionClosure) -> str:
    if closure.HasField("error"):
        return f" Its error: [{closure.error.message[:_LONGEST_ERROR]}]."
    if closure.abort_metadata.cause:
        return f" It was terminated: [{closure.abort_metadata.cause[:_LONGEST_ERROR]}]."
    return ""


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Fill all placeholders at once: what an error's text has in braces is not filled in turn."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)
