"""Launch plans."""

from __future__ import annotations

from flyteidl.admin.common_pb2 import RawOutputDataConfig
from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.launch_plan_pb2 import LaunchPlanClosure, LaunchPlanMetadata, LaunchPlanSpec
from flyteidl.admin.schedule_pb2 import Schedule as ScheduleMessage
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.core.security_pb2 import SecurityContext

from flyte_kit.core.launch_plan import LaunchPlan
from flyte_kit.core.options import annotations_message, labels_message
from flyte_kit.serialization.scope import Scope


def launch_plan_message(scope: Scope, plan: LaunchPlan) -> LaunchPlanMessage:
    """Return a launch plan as it is registered; options stand over what the plan says.

    :raises ValueError: if its trigger is a plain schedule, which ``schedule=`` is for
    """
    workflow_id = scope.add(plan.workflow).template.id
    options = scope.options
    metadata = LaunchPlanMetadata(
        schedule=plan.schedule.message() if plan.schedule is not None else None,
        notifications=[each.message() for each in options.notifications or plan.notifications],
    )
    if plan.trigger is not None:
        condition = plan.trigger.to_flyte_idl(plan)
        if isinstance(condition, ScheduleMessage):
            raise ValueError("Please continue to use the schedule arg, the trigger arg is not implemented yet")
        metadata.launch_conditions.Pack(condition)
    spec = LaunchPlanSpec(
        workflow_id=workflow_id,
        entity_metadata=metadata,
        default_inputs=plan.parameters,
        fixed_inputs=plan.fixed_inputs,
        labels=labels_message(options.labels or plan.labels),
        annotations=annotations_message(options.annotations or plan.annotations),
        raw_output_data_config=options.raw_output_data_config or plan.raw_output_data_config or RawOutputDataConfig(),
        max_parallelism=options.max_parallelism or plan.max_parallelism or 0,
        security_context=_security(plan.security_context, options.security_context),
        overwrite_cache=bool(options.overwrite_cache or plan.overwrite_cache),
        concurrency_policy=plan.concurrency.message() if plan.concurrency is not None else None,
    )
    closure = LaunchPlanClosure()
    closure.expected_inputs.SetInParent()
    closure.expected_outputs.SetInParent()
    return LaunchPlanMessage(id=scope.identifier(ResourceType.LAUNCH_PLAN, plan.name), spec=spec, closure=closure)


def _security(own: SecurityContext | None, given: SecurityContext | None) -> SecurityContext | None:
    if own is None or given is None:
        return own or given
    result = SecurityContext(
        run_as=given.run_as if given.HasField("run_as") else own.run_as if own.HasField("run_as") else None,
        secrets=given.secrets or own.secrets,
        tokens=given.tokens or own.tokens,
    )
    return result
