"""Which service class answers which RPC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flyteidl.admin.project_pb2 import GetDomainRequest, GetDomainsResponse, Project, ProjectGetRequest
from flyteidl.admin.version_pb2 import GetVersionRequest, GetVersionResponse, Version
from flyteidl.datacatalog import datacatalog_pb2
from flyteidl.service import admin_pb2, auth_pb2, dataproxy_pb2, identity_pb2, signal_pb2

from flyte_admin.descriptions.service import DescriptionService
from flyte_admin.executions.events import EventRecorder
from flyte_admin.executions.metrics import MetricsReader
from flyte_admin.executions.node_service import NodeExecutionService
from flyte_admin.executions.reading import ExecutionReader
from flyte_admin.executions.service import ExecutionService
from flyte_admin.executions.task_service import TaskExecutionService
from flyte_admin.launch_plans.service import LaunchPlanService
from flyte_admin.named_entities.service import NamedEntityService
from flyte_admin.projects.service import ProjectService
from flyte_admin.rpc.methods import Method, Rpc, service_methods
from flyte_admin.settings import VersionSettings
from flyte_admin.tasks.service import TaskService
from flyte_admin.workflows.service import WorkflowService

_NO_AUTH = "authentication is off here, call without credentials"


@dataclass(frozen=True, slots=True)
class RegistryServices:
    """The services of what is registered."""

    projects: ProjectService
    tasks: TaskService
    workflows: WorkflowService
    launch_plans: LaunchPlanService
    named_entities: NamedEntityService
    descriptions: DescriptionService
    version: VersionSettings

    def rpcs(self) -> dict[str, Rpc]:
        """Return their part of AdminService."""
        return {
            **self._entities(),
            "RegisterProject": self.projects.register,
            "UpdateProject": self.projects.update,
            "GetProject": self._get_project,
            "ListProjects": self.projects.list,
            "GetDomains": self._get_domains,
            "ListNamedEntities": self.named_entities.list,
            "GetNamedEntity": self.named_entities.get,
            "UpdateNamedEntity": self.named_entities.update,
            "GetDescriptionEntity": self.descriptions.get,
            "ListDescriptionEntities": self.descriptions.list,
            "GetVersion": self._get_version,
        }

    def _entities(self) -> dict[str, Rpc]:
        return {
            "CreateTask": self.tasks.create,
            "GetTask": self.tasks.get,
            "ListTaskIds": self.tasks.list_ids,
            "ListTasks": self.tasks.list,
            "CreateWorkflow": self.workflows.create,
            "GetWorkflow": self.workflows.get,
            "ListWorkflowIds": self.workflows.list_ids,
            "ListWorkflows": self.workflows.list,
            "CreateLaunchPlan": self.launch_plans.create,
            "GetLaunchPlan": self.launch_plans.get,
            "GetActiveLaunchPlan": self.launch_plans.get_active,
            "ListActiveLaunchPlans": self.launch_plans.list_active,
            "ListLaunchPlanIds": self.launch_plans.list_ids,
            "ListLaunchPlans": self.launch_plans.list,
            "UpdateLaunchPlan": self.launch_plans.update,
        }

    async def _get_project(self, request: ProjectGetRequest) -> Project:
        return await self.projects.get(request.id)

    async def _get_domains(self, _request: GetDomainRequest) -> GetDomainsResponse:
        return self.projects.domains()

    async def _get_version(self, _request: GetVersionRequest) -> GetVersionResponse:
        version = Version(Build=self.version.build, Version=self.version.version, BuildTime=self.version.build_time)
        return GetVersionResponse(control_plane_version=version)


@dataclass(frozen=True, slots=True)
class ExecutionServices:
    """The services of what runs."""

    executions: ExecutionService
    reader: ExecutionReader
    nodes: NodeExecutionService
    tasks: TaskExecutionService
    events: EventRecorder
    metrics: MetricsReader

    def rpcs(self) -> dict[str, Rpc]:
        """Return their part of AdminService."""
        return {
            "CreateExecution": self.executions.create,
            "RelaunchExecution": self.executions.relaunch,
            "RecoverExecution": self.executions.recover,
            "UpdateExecution": self.executions.update,
            "TerminateExecution": self.executions.terminate,
            "GetExecution": self.reader.get,
            "GetExecutionData": self.reader.get_data,
            "ListExecutions": self.reader.list,
            "GetExecutionMetrics": self.metrics.get,
            "GetNodeExecution": self.nodes.get,
            "ListNodeExecutions": self.nodes.list,
            "ListNodeExecutionsForTask": self.nodes.list_for_task,
            "GetNodeExecutionData": self.nodes.get_data,
            "GetDynamicNodeWorkflow": self.nodes.get_dynamic_workflow,
            "GetTaskExecution": self.tasks.get,
            "ListTaskExecutions": self.tasks.list,
            "GetTaskExecutionData": self.tasks.get_data,
            "CreateWorkflowEvent": self.events.create_workflow_event,
            "CreateNodeEvent": self.events.create_node_event,
            "CreateTaskEvent": self.events.create_task_event,
        }


def all_services(
    registry: RegistryServices,
    executions: ExecutionServices,
    *,
    data_proxy: Mapping[str, Rpc],
    signals: Mapping[str, Rpc],
    catalog: Mapping[str, Rpc],
) -> dict[str, dict[str, Method]]:
    """Return the methods of every service, by its full name.

    Upstream without authentication has no AuthMetadataService and no IdentityService: both answer UNIMPLEMENTED, from
    which clients conclude that none is needed.
    """
    tables: tuple[tuple[Any, str, Mapping[str, Rpc], str], ...] = (
        (admin_pb2, "AdminService", {**registry.rpcs(), **executions.rpcs()}, ""),
        (dataproxy_pb2, "DataProxyService", data_proxy, ""),
        (signal_pb2, "SignalService", signals, ""),
        (datacatalog_pb2, "DataCatalog", catalog, ""),
        (auth_pb2, "AuthMetadataService", {}, _NO_AUTH),
        (identity_pb2, "IdentityService", {}, _NO_AUTH),
    )
    found = {}
    for module, name, rpcs, why_not in tables:
        service = module.DESCRIPTOR.services_by_name[name]
        found[service.full_name] = service_methods(service, rpcs, why_not=why_not)
    return found
