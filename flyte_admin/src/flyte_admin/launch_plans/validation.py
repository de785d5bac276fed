"""What a launch plan must have to be registered."""

from __future__ import annotations

from flyteidl.admin.launch_plan_pb2 import LaunchPlanClosure, LaunchPlanCreateRequest, LaunchPlanSpec
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.core.interface_pb2 import TypedInterface

from flyte_admin.launch_plans.inputs import expected_inputs
from flyte_admin.launch_plans.schedules import check_schedule
from flyte_admin.notifications.choice import check_notifications
from flyte_admin.registry.admission import check_entity_id, check_labels
from flyte_core.errors import InvalidInput


def check_launch_plan(request: LaunchPlanCreateRequest) -> None:
    """Check what can be checked without the workflow.

    :raises InvalidInput: naming the field
    """
    check_entity_id(request.id, "id", ResourceType.LAUNCH_PLAN)
    spec = request.spec
    if not request.HasField("spec"):
        raise InvalidInput("missing spec", field="spec")
    check_entity_id(spec.workflow_id, "spec.workflow_id", ResourceType.WORKFLOW)
    check_labels(spec.labels.values, "spec.labels")
    if spec.max_parallelism < 0:
        raise InvalidInput("invalid value for spec.max_parallelism: it must not be negative", field="max_parallelism")
    if spec.entity_metadata.HasField("launch_conditions"):
        raise InvalidInput(
            "Launch condition must be empty, found " + spec.entity_metadata.launch_conditions.type_url[:256],
            field="spec.entity_metadata.launch_conditions",
        )
    check_notifications(spec.entity_metadata.notifications, "spec.entity_metadata.notifications")


def launch_plan_closure(spec: LaunchPlanSpec, interface: TypedInterface) -> LaunchPlanClosure:
    """Return the closure of a checked launch plan of a workflow with that interface, inactive and without times.

    :raises InvalidInput: if inputs or schedule do not fit the workflow
    """
    closure = LaunchPlanClosure(expected_inputs=expected_inputs(spec, interface.inputs))
    closure.expected_outputs.CopyFrom(interface.outputs)
    check_schedule(spec.entity_metadata.schedule, closure.expected_inputs)
    return closure
