"""Starting executions.

Every execution is named here, not by the server: a request whose answer was lost can be repeated, and finds what it
started the first time.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from typing import Any

from flyteidl.admin.cluster_assignment_pb2 import ClusterAssignment
from flyteidl.admin.common_pb2 import Envs, RawOutputDataConfig
from flyteidl.admin.execution_pb2 import (
    ExecutionCreateRequest,
    ExecutionMetadata,
    ExecutionRecoverRequest,
    ExecutionRelaunchRequest,
    ExecutionSpec,
    ExecutionTerminateRequest,
    NotificationList,
    WorkflowExecutionGetRequest,
)
from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import KeyValuePair, LiteralMap

from flyte_kit.configuration.images import ImageConfig
from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import PythonTask
from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.interface import Interface
from flyte_kit.core.launch_plan import LaunchPlan
from flyte_kit.core.options import Options, annotations_message, labels_message
from flyte_kit.core.reference_entity import ReferenceEntity
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.workflow import WorkflowBase
from flyte_kit.exceptions.user import FlyteEntityAlreadyExistsException, FlyteEntityNotExistException
from flyte_kit.remote.entities import FlyteWorkflow, RemoteEntity
from flyte_kit.remote.executions import FlyteWorkflowExecution
from flyte_kit.remote.registering import Registering
from flyte_kit.remote.sending import sending

LONGEST_NAME = 63
PRINCIPAL = "flyte-kit"


def new_execution_name(prefix: str | None = None) -> str:
    """Return a name that no execution has: a letter and 19 digits, or a prefix with as many."""
    digits = uuid.uuid4().hex[:19]
    return f"{prefix[: LONGEST_NAME - 20]}-{digits}" if prefix else f"f{digits}"


class Launching(Registering):
    """Start, relaunch, recover and end executions."""

    def execute(  # noqa: PLR0913 - the arguments of flytekit's method
        self,
        entity: Any,
        inputs: Mapping[str, Any],
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
        execution_name: str | None = None,
        execution_name_prefix: str | None = None,
        image_config: ImageConfig | None = None,
        options: Options | None = None,
        wait: bool = False,
        type_hints: Mapping[str, Any] | None = None,
        overwrite_cache: bool | None = None,
        interruptible: bool | None = None,
        envs: Mapping[str, str] | None = None,
        tags: list[str] | None = None,
        cluster_pool: str | None = None,
        execution_cluster_label: str | None = None,
        serialization_settings: SerializationSettings | None = None,
    ) -> FlyteWorkflowExecution:
        """Start an execution of a task, workflow or launch plan: one of this program, a registered one, or a reference.

        What this program defines is registered first, unless that version is there already.

        :param inputs: plain values
        :param execution_name: of the execution; if it is there already, it is returned
        :param execution_name_prefix: of a name that is made
        :param wait: whether to return only when it has ended
        :param type_hints: Python's types of inputs, where they cannot be told
        :param envs: variables of its tasks
        """
        target, interface = self._target(entity, project, domain, name, version, image_config, serialization_settings)
        spec = ExecutionSpec(launch_plan=target, metadata=ExecutionMetadata(principal=PRINCIPAL), disable_all=False)
        _apply_options(spec, options or Options(), self.data_upload_location)
        if overwrite_cache is not None:
            spec.overwrite_cache = overwrite_cache
        if interruptible is not None:
            spec.interruptible.value = interruptible
        if envs:
            pairs = [KeyValuePair(key=key, value=value) for key, value in envs.items()]
            spec.envs.CopyFrom(Envs(values=pairs))
        spec.tags.extend(tags or [])
        if cluster_pool:
            spec.cluster_assignment.CopyFrom(ClusterAssignment(cluster_pool_name=cluster_pool))
        if execution_cluster_label:
            spec.execution_cluster_label.value = execution_cluster_label
        project, domain = project or self.default_project, domain or self.default_domain
        context = sending(self.context, self.client, project, domain)
        execution = self.create_execution(
            spec,
            _literals(context, inputs, interface, type_hints or {}),
            project=project,
            domain=domain,
            name=execution_name or new_execution_name(execution_name_prefix),
        )
        execution.type_hints = dict(interface.outputs)
        return self.wait(execution) if wait else execution

    def create_execution(
        self, spec: ExecutionSpec, inputs: LiteralMap, *, project: str, domain: str, name: str
    ) -> FlyteWorkflowExecution:
        """Start an execution, or take up the one of that name."""
        request = ExecutionCreateRequest(project=project, domain=domain, name=name, spec=spec, inputs=inputs)
        identifier = WorkflowExecutionIdentifier(project=project, domain=domain, name=name)
        # One of this name is there: it was asked for before, here or by an attempt whose answer was lost
        with contextlib.suppress(FlyteEntityAlreadyExistsException):
            identifier = self.client.call(self.client.admin.CreateExecution, request).id
        return self._execution(identifier)

    def _execution(self, identifier: WorkflowExecutionIdentifier) -> FlyteWorkflowExecution:
        found = self.client.call(self.client.admin.GetExecution, WorkflowExecutionGetRequest(id=identifier))
        return FlyteWorkflowExecution(found)

    def wait(self, execution: FlyteWorkflowExecution, **kwargs: Any) -> FlyteWorkflowExecution:
        """Wait until an execution has ended."""
        raise NotImplementedError(f"{type(self).__name__} does not watch executions")

    def _target(
        self,
        entity: Any,
        project: str | None,
        domain: str | None,
        name: str | None,
        version: str | None,
        image_config: ImageConfig | None,
        settings: SerializationSettings | None,
    ) -> tuple[Identifier, Interface]:
        if isinstance(entity, FlyteWorkflow):
            plan = self.fetch_launch_plan(entity.id.project, entity.id.domain, entity.name, entity.version)
            return plan.id, entity.python_interface
        if isinstance(entity, RemoteEntity):
            return entity.id, entity.python_interface
        if isinstance(entity, ReferenceEntity):
            return self._complete(entity.id), entity.python_interface
        if not isinstance(entity, PythonTask | WorkflowBase | LaunchPlan):
            raise NotImplementedError(f"{type(entity)} cannot be executed")
        found = self._registered(entity, project, domain, name, version)
        if found is None:
            found = self._register_here(entity, project, domain, version, image_config, settings)
        return found, entity.python_interface

    def _complete(self, identifier: Identifier) -> Identifier:
        result = Identifier()
        result.CopyFrom(identifier)
        result.project = identifier.project or self.default_project
        result.domain = identifier.domain or self.default_domain
        if identifier.resource_type == ResourceType.WORKFLOW:
            result.resource_type = ResourceType.LAUNCH_PLAN
        return result

    def _registered(
        self, entity: Any, project: str | None, domain: str | None, name: str | None, version: str | None
    ) -> Identifier | None:
        if version is None:
            return None
        kind = ResourceType.TASK if isinstance(entity, PythonTask) else ResourceType.LAUNCH_PLAN
        identifier = Identifier(
            resource_type=kind,
            project=project or self.default_project,
            domain=domain or self.default_domain,
            name=name or entity.name,
            version=version,
        )
        try:
            self.client.get(identifier)
        except FlyteEntityNotExistException:
            return None
        return identifier

    def _register_here(
        self,
        entity: Any,
        project: str | None,
        domain: str | None,
        version: str | None,
        image_config: ImageConfig | None,
        settings: SerializationSettings | None,
    ) -> Identifier:
        if settings is not None:
            registered = self.register_entity(entity, self._settings(settings, version), None)
        else:
            registered = self.register_script(
                entity, image_config=image_config, version=version, project=project, domain=domain
            ).id
        result = Identifier()
        result.CopyFrom(registered)
        if result.resource_type == ResourceType.WORKFLOW:
            result.resource_type = ResourceType.LAUNCH_PLAN
        return result

    def relaunch(
        self, execution: Any, name: str | None = None, *, overwrite_cache: bool = False
    ) -> FlyteWorkflowExecution:
        """Start an execution again, with the same inputs.

        :param overwrite_cache: whether cached tasks run too, and replace what the cache holds
        """
        identifier = getattr(execution, "id", execution)
        request = ExecutionRelaunchRequest(
            id=identifier, name=name or new_execution_name(), overwrite_cache=overwrite_cache
        )
        return self._started_again(self.client.admin.RelaunchExecution, request, identifier)

    def recover(self, execution: Any, name: str | None = None) -> FlyteWorkflowExecution:
        """Start an execution again; nodes that have succeeded are not run again."""
        identifier = getattr(execution, "id", execution)
        request = ExecutionRecoverRequest(id=identifier, name=name or new_execution_name())
        return self._started_again(self.client.admin.RecoverExecution, request, identifier)

    def _started_again(self, method: Any, request: Any, old: WorkflowExecutionIdentifier) -> FlyteWorkflowExecution:
        identifier = WorkflowExecutionIdentifier(project=old.project, domain=old.domain, name=request.name)
        # One of this name is there: an attempt whose answer was lost started it
        with contextlib.suppress(FlyteEntityAlreadyExistsException):
            identifier = self.client.call(method, request).id
        return self._execution(identifier)

    def terminate(self, execution: Any, cause: str) -> None:
        """End an execution.

        :param cause: shown to those who look at it
        """
        request = ExecutionTerminateRequest(id=getattr(execution, "id", execution), cause=cause)
        self.client.call(self.client.admin.TerminateExecution, request)

    def terminate_children(self, parent: WorkflowExecutionIdentifier) -> int:
        """End every running execution that an eager task has started; return how many there were."""
        filters = (
            f"value_in(execution_tag.key,eager-exec)+value_in(execution_tag.value,{parent.name})"
            "+value_in(phase,UNDEFINED;QUEUED;RUNNING)"
        )
        ended: set[str] = set()
        while True:
            found = self.recent_executions(parent.project, parent.domain, limit=100, filters=filters)
            running = [each for each in found if each.name not in ended]
            if not running:
                return len(ended)
            for each in running:
                self.terminate(each, f"clean up by parent eager execution {parent.name}")
                ended.add(each.name)


def _literals(
    context: FlyteContext, inputs: Mapping[str, Any], interface: Interface, hints: Mapping[str, Any]
) -> LiteralMap:
    unknown = [name for name in inputs if name not in interface.inputs]
    if unknown:
        raise ValueError(f"There is no input {unknown[0]}; there are {sorted(interface.inputs)}")
    variables = interface.typed.inputs.variables
    result = LiteralMap()
    for name, value in inputs.items():
        python_type = hints.get(name, interface.inputs[name])
        literal = TypeEngine.to_literal(context, value, python_type, variables[name].type)
        result.literals[name].CopyFrom(literal)
    return result


def _apply_options(spec: ExecutionSpec, options: Options, raw_prefix: str | None) -> None:
    spec.labels.CopyFrom(labels_message(options.labels))
    spec.annotations.CopyFrom(annotations_message(options.annotations))
    raw = options.raw_output_data_config
    if raw is None and raw_prefix:
        raw = RawOutputDataConfig(output_location_prefix=raw_prefix)
    if raw is not None:
        spec.raw_output_data_config.CopyFrom(raw)
    if options.security_context is not None:
        spec.security_context.CopyFrom(options.security_context)
    if options.max_parallelism:
        spec.max_parallelism = options.max_parallelism
    if options.overwrite_cache:
        spec.overwrite_cache = True
    if options.disable_notifications:
        spec.disable_all = True
    elif options.notifications:
        notifications = NotificationList(notifications=[each.message() for each in options.notifications])
        spec.notifications.CopyFrom(notifications)
