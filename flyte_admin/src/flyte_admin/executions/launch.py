"""What an execution will be, decided from the request and what is stored: no I/O, no clock, no randomness."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass

from flyteidl.admin.common_pb2 import Notification
from flyteidl.admin.execution_pb2 import (
    ExecutionClosure,
    ExecutionCreateRequest,
    ExecutionMetadata,
    ExecutionSpec,
    ExecutionState,
)
from flyteidl.admin.launch_plan_pb2 import LaunchPlanClosure, LaunchPlanSpec
from flyteidl.admin.matchable_resource_pb2 import WorkflowExecutionConfig
from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_admin.executions.execution_config import LaunchSettings, merge_execution_config
from flyte_admin.executions.inputs import resolve_inputs
from flyte_admin.notifications.choice import check_notifications, chosen_notifications
from flyte_admin.registry.admission import check_ascii, check_labels
from flyte_core.errors import InvalidInput
from flyte_core.identifiers import check_execution_name, check_identifier, check_name

_NAME_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class ParentExecution:
    """What a child execution takes over from the execution whose node started it.

    :ivar cluster_label: says which cluster it runs in; only where the child's own request has none
    """

    principal: str
    nesting: int
    cluster_label: str = ""


@dataclass(frozen=True, slots=True)
class LaunchBasis:
    """What is stored about the thing to launch.

    :ivar project_config: the project's or domain's own defaults, None if there are none
    :ivar project_labels: put on executions where the request has no such label
    :ivar parent: None unless the execution is a child
    """

    launch_plan_spec: LaunchPlanSpec
    launch_plan_closure: LaunchPlanClosure
    project_config: WorkflowExecutionConfig | None = None
    project_labels: tuple[tuple[str, str], ...] = ()
    parent: ParentExecution | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """An execution decided upon.

    :ivar spec: as it is stored and shown
    :ivar effective_spec: with every default filled in, for the FlyteWorkflow
    :ivar inputs: what the workflow gets
    :ivar user_inputs: what the user gave, for a relaunch
    :ivar notifications: what is sent when it ends
    """

    id: WorkflowExecutionIdentifier
    spec: ExecutionSpec
    effective_spec: ExecutionSpec
    workflow_id: Identifier
    inputs: LiteralMap
    user_inputs: LiteralMap
    notifications: Sequence[Notification] = ()


def new_execution_name() -> str:
    """Return a name for an execution whose client gave none: ``a`` and 19 random letters and digits."""
    return "a" + "".join(secrets.choice(_NAME_ALPHABET) for _ in range(19))


def check_create_request(request: ExecutionCreateRequest) -> None:
    """Check what can be checked without looking anything up.

    :raises InvalidInput: naming the field
    """
    check_name(request.project, "project")
    check_name(request.domain, "domain")
    if request.name:
        check_execution_name(request.name)
    if not request.HasField("spec"):
        raise InvalidInput("missing spec", field="spec")
    kind = request.spec.launch_plan.resource_type
    if kind not in (ResourceType.LAUNCH_PLAN, ResourceType.TASK):
        raise InvalidInput(
            "invalid value for spec.launch_plan.resource_type: it must be LAUNCH_PLAN or TASK",
            field="spec.launch_plan.resource_type",
        )
    check_identifier(request.spec.launch_plan, "spec.launch_plan", resource_type=kind)
    check_ascii(request.spec.launch_plan, "spec.launch_plan")
    _check_overrides(request.spec)


def _check_overrides(spec: ExecutionSpec) -> None:
    if spec.max_parallelism < 0:
        raise InvalidInput("invalid value for spec.max_parallelism: it must not be negative", field="max_parallelism")
    for key, value in spec.labels.values.items():
        check_labels({key: value}, "spec.labels")
    for tag in spec.tags:
        check_name(tag, "spec.tags")
    check_notifications(spec.notifications.notifications, "spec.notifications.notifications")
    seen: set[str] = set()
    for env in spec.envs.values:
        if not env.key or env.key in seen:
            problem = "is twice" if env.key else "is empty"
            raise InvalidInput(f"invalid value for spec.envs: key {env.key[:256]!r} {problem}", field="spec.envs")
        seen.add(env.key)


def given_inputs(request: ExecutionCreateRequest) -> LiteralMap:
    """Return the inputs of the request; the deprecated ``spec.inputs`` count only where ``inputs`` is not set."""
    return request.inputs if request.HasField("inputs") else request.spec.inputs


def decide_launch(
    request: ExecutionCreateRequest, basis: LaunchBasis, settings: LaunchSettings, *, principal: str
) -> Launch:
    """Return the execution that a checked request with a name asks for.

    :param principal: the caller, empty without authentication; it replaces what the client says of itself
    :raises InvalidInput: if the inputs do not fit
    """
    user_inputs = given_inputs(request)
    inputs = resolve_inputs(user_inputs, basis.launch_plan_spec.fixed_inputs, basis.launch_plan_closure.expected_inputs)
    spec = ExecutionSpec()
    spec.CopyFrom(request.spec)
    spec.ClearField("inputs")
    if basis.parent is not None and basis.parent.cluster_label and not spec.HasField("execution_cluster_label"):
        spec.execution_cluster_label.value = basis.parent.cluster_label
    _fill_metadata(spec.metadata, request, basis.parent, settings, principal)
    effective = merge_execution_config(spec, basis.launch_plan_spec, basis.project_config, settings)
    for key, value in basis.project_labels:
        if key not in effective.labels.values:
            effective.labels.values[key] = value
    spec.max_parallelism = effective.max_parallelism
    spec.security_context.CopyFrom(effective.security_context)
    return Launch(
        id=WorkflowExecutionIdentifier(project=request.project, domain=request.domain, name=request.name),
        spec=spec,
        effective_spec=effective,
        workflow_id=basis.launch_plan_spec.workflow_id,
        inputs=inputs,
        user_inputs=user_inputs,
        notifications=chosen_notifications(request.spec, basis.launch_plan_spec),
    )


def _fill_metadata(
    metadata: ExecutionMetadata,
    request: ExecutionCreateRequest,
    parent: ParentExecution | None,
    settings: LaunchSettings,
    principal: str,
) -> None:
    metadata.principal = principal
    if parent is not None:
        metadata.principal = parent.principal
        metadata.nesting = parent.nesting + 1
    metadata.system_metadata.execution_cluster = settings.cluster
    metadata.system_metadata.namespace = settings.namespace(request.project, request.domain)


def initial_closure(launch: Launch, created_at: Timestamp) -> ExecutionClosure:
    """Return the closure of an execution of which nothing was reported yet (phase UNDEFINED)."""
    closure = ExecutionClosure(created_at=created_at, updated_at=created_at, workflow_id=launch.workflow_id)
    closure.notifications.extend(launch.notifications)
    details = closure.state_change_details
    details.state = ExecutionState.EXECUTION_ACTIVE
    details.occurred_at.CopyFrom(created_at)
    details.principal = launch.spec.metadata.principal
    return closure


def relaunch_request(
    source: WorkflowExecutionIdentifier,
    spec: ExecutionSpec,
    user_inputs: LiteralMap,
    *,
    name: str,
    mode: ExecutionMetadata.ExecutionMode.ValueType,
) -> ExecutionCreateRequest:
    """Return the request that starts an execution over again.

    :param spec: as stored with the source
    :param mode: RELAUNCH or RECOVERED; both refer back to the source
    """
    request = ExecutionCreateRequest(project=source.project, domain=source.domain, name=name, inputs=user_inputs)
    request.spec.CopyFrom(spec)
    request.spec.metadata.CopyFrom(ExecutionMetadata(mode=mode, reference_execution=source))
    if mode == ExecutionMetadata.RELAUNCH:
        request.spec.overwrite_cache = False
    return request


def named(request: ExecutionCreateRequest) -> ExecutionCreateRequest:
    """Return the request with a name: its own or a new one."""
    if request.name:
        return request
    result = ExecutionCreateRequest()
    result.CopyFrom(request)
    result.name = new_execution_name()
    return result
