"""Everything of this process that can be registered, in order."""

from __future__ import annotations

from typing import Any, TypeAlias

from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.identifier_pb2 import Identifier

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.options import Options
from flyte_kit.serialization.entities import Serializer

Registrable: TypeAlias = TaskSpec | WorkflowSpec | LaunchPlanMessage


def registrable_entities(settings: SerializationSettings, options: Options | None = None) -> list[Any]:
    """Return the messages of all tasks, workflows and launch plans that have been made, what is needed first."""
    known = Serializer(settings, options).add_all()
    return [message for message in known.values() if isinstance(message, Registrable)]


def identifier_of(message: Registrable) -> Identifier:
    """Return the id of what a message registers."""
    return message.id if isinstance(message, LaunchPlanMessage) else message.template.id
