"""References made by kind."""

from __future__ import annotations

from typing import Any

from flyteidl.core.identifier_pb2 import ResourceType

from flyte_kit.core.launch_plan import ReferenceLaunchPlan
from flyte_kit.core.reference_entity import ReferenceEntity
from flyte_kit.core.reference_workflow import ReferenceWorkflow
from flyte_kit.core.task import ReferenceTask

_KINDS: dict[int, Any] = {
    ResourceType.TASK: ReferenceTask,
    ResourceType.WORKFLOW: ReferenceWorkflow,
    ResourceType.LAUNCH_PLAN: ReferenceLaunchPlan,
}


def get_reference_entity(
    resource_type: int,
    project: str,
    domain: str,
    name: str,
    version: str,
    inputs: dict[str, Any],
    outputs: dict[str, Any],
) -> ReferenceEntity:
    """Refer to a task, workflow or launch plan that is registered already.

    :param resource_type: a ``flyteidl.core.identifier_pb2.ResourceType``
    :raises ValueError: for another kind
    """
    if resource_type not in _KINDS:
        raise ValueError("A reference entity must be one of the three: task, workflow or launch plan")
    made: ReferenceEntity = _KINDS[resource_type](project, domain, name, version, inputs, outputs)
    return made
