"""Who is to be told of the end of an execution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flyteidl.admin.common_pb2 import Notification
from flyteidl.admin.execution_pb2 import ExecutionSpec
from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.core.execution_pb2 import WorkflowExecution

from flyte_core.errors import InvalidInput

_TERMINAL = (
    WorkflowExecution.SUCCEEDED,
    WorkflowExecution.FAILED,
    WorkflowExecution.ABORTED,
    WorkflowExecution.TIMED_OUT,
)


def check_notifications(notifications: Iterable[Notification], field: str) -> None:
    """Check what a launch plan or an execution asks for.

    :param field: path of the list
    :raises InvalidInput: if one has no recipients, or a phase in which executions do not end
    """
    for index, notification in enumerate(notifications):
        _check(notification, f"{field}[{index}]")


def chosen_notifications(request: ExecutionSpec, launch_plan: LaunchPlanSpec) -> Sequence[Notification]:
    """Return what counts for an execution: upstream's rule.

    Notifications of the request replace those of the launch plan; ``disable_all`` says that there are none, if it is
    true: clients send a false one along with every request.
    """
    if request.notifications.notifications:
        return list(request.notifications.notifications)
    return [] if request.disable_all else list(launch_plan.entity_metadata.notifications)


def recipients(notification: Notification) -> Sequence[str]:
    """Return the addresses of a notification; Slack and PagerDuty are told by mail too, as upstream does."""
    kind = notification.WhichOneof("type")
    return list(getattr(notification, kind).recipients_email) if kind else []


def _check(notification: Notification, field: str) -> None:
    if not recipients(notification):
        raise InvalidInput(f"missing {field}.recipients_email", field=field)
    if not notification.phases:
        raise InvalidInput(f"missing {field}.phases", field=f"{field}.phases")
    for phase in notification.phases:
        if phase not in _TERMINAL:
            raise InvalidInput(f"invalid value for {field}.phases: only terminal phases are", field=f"{field}.phases")
