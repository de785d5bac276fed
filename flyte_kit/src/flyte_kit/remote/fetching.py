"""What is registered and what has run."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.launch_plan_pb2 import ActiveLaunchPlanRequest
from flyteidl.admin.project_pb2 import GetDomainRequest, ProjectListRequest
from flyteidl.admin.version_pb2 import GetVersionRequest
from flyteidl.core.identifier_pb2 import Identifier, ResourceType, WorkflowExecutionIdentifier
from flyteidl.service.dataproxy_pb2 import GetDataRequest

from flyte_kit.exceptions.user import FlyteEntityNotExistException
from flyte_kit.remote.client import NEWEST, PAGE
from flyte_kit.remote.connected import Connected
from flyte_kit.remote.entities import FlyteLaunchPlan, FlyteTask, FlyteWorkflow
from flyte_kit.remote.executions import FlyteWorkflowExecution


class Fetching(Connected):
    """Fetch and list. Without a version the newest is meant; project and domain default to the client's."""

    def _identifier(
        self, kind: int, project: str | None, domain: str | None, name: str, version: str | None
    ) -> Identifier:
        project, domain = project or self.default_project, domain or self.default_domain
        if version:
            return Identifier(resource_type=kind, project=project, domain=domain, name=name, version=version)
        named = NamedEntityIdentifier(project=project, domain=domain, name=name)
        newest = next(iter(self.client.list_versions(kind, named, limit=1)), None)
        if newest is None:
            raise FlyteEntityNotExistException(
                f"No version of {ResourceType.Name(kind).lower()} {name} is registered in {project}/{domain}"
            )
        found: Identifier = newest.id
        return found

    def fetch_task(
        self, project: str | None = None, domain: str | None = None, name: str = "", version: str | None = None
    ) -> FlyteTask:
        """Return a registered task."""
        return FlyteTask(self.client.get_task(self._identifier(ResourceType.TASK, project, domain, name, version)))

    def fetch_workflow(
        self, project: str | None = None, domain: str | None = None, name: str = "", version: str | None = None
    ) -> FlyteWorkflow:
        """Return a registered workflow."""
        identifier = self._identifier(ResourceType.WORKFLOW, project, domain, name, version)
        return FlyteWorkflow(self.client.get_workflow(identifier))

    def fetch_launch_plan(
        self, project: str | None = None, domain: str | None = None, name: str = "", version: str | None = None
    ) -> FlyteLaunchPlan:
        """Return a registered launch plan."""
        identifier = self._identifier(ResourceType.LAUNCH_PLAN, project, domain, name, version)
        return FlyteLaunchPlan(self.client.get_launch_plan(identifier))

    def fetch_active_launchplan(
        self, project: str | None = None, domain: str | None = None, name: str = ""
    ) -> FlyteLaunchPlan | None:
        """Return the active version of a launch plan; None if there is none."""
        named = NamedEntityIdentifier(
            project=project or self.default_project, domain=domain or self.default_domain, name=name
        )
        try:
            found = self.client.call(self.client.admin.GetActiveLaunchPlan, ActiveLaunchPlanRequest(id=named))
        except FlyteEntityNotExistException:
            return None
        return FlyteLaunchPlan(found)

    def fetch_execution(
        self, project: str | None = None, domain: str | None = None, name: str = ""
    ) -> FlyteWorkflowExecution:
        """Return an execution, with its inputs, and its outputs if it has ended."""
        identifier = WorkflowExecutionIdentifier(
            project=project or self.default_project, domain=domain or self.default_domain, name=name
        )
        message = self.client.call(self.client.admin.GetExecution, WorkflowExecutionGetRequest(id=identifier))
        return self.sync_execution(FlyteWorkflowExecution(message), sync_nodes=False)

    def sync_execution(
        self, execution: FlyteWorkflowExecution, entity_definition: Any = None, sync_nodes: bool = False
    ) -> FlyteWorkflowExecution:
        """Look at an execution again."""
        raise NotImplementedError(f"{type(self).__name__} does not watch executions")

    def recent_executions(
        self, project: str | None = None, domain: str | None = None, limit: int = PAGE, filters: str = ""
    ) -> list[FlyteWorkflowExecution]:
        """Return executions, newest first."""
        named = NamedEntityIdentifier(project=project or self.default_project, domain=domain or self.default_domain)
        request = ResourceListRequest(id=named, limit=min(limit, PAGE), filters=filters, sort_by=NEWEST)
        found = self.client.pages(self.client.admin.ListExecutions, request, "executions", limit)
        return [FlyteWorkflowExecution(message) for message in found]

    def list_tasks_by_version(
        self, version: str, project: str | None = None, domain: str | None = None, limit: int = PAGE
    ) -> list[FlyteTask]:
        """Return the tasks of a version."""
        if not version:
            raise ValueError("Must specify a version.")
        named = NamedEntityIdentifier(project=project or self.default_project, domain=domain or self.default_domain)
        found = self.client.list_versions(ResourceType.TASK, named, limit=limit, filters=f"eq(version,{version})")
        return [FlyteTask(message) for message in found]

    def list_projects(self, limit: int = PAGE, filters: str = "") -> list[Any]:
        """Return the projects."""
        request = ProjectListRequest(limit=min(limit, PAGE), filters=filters)
        return list(self.client.pages(self.client.admin.ListProjects, request, "projects", limit))

    def get_domains(self) -> list[Any]:
        """Return the domains."""
        return list(self.client.call(self.client.admin.GetDomains, GetDomainRequest()).domains)

    def get_version(self) -> Any:
        """Return the version of the control plane."""
        return self.client.call(self.client.admin.GetVersion, GetVersionRequest()).control_plane_version

    def get(self, flyte_uri: str) -> Any:
        """Return what is at a ``flyte://`` address: a literal, a map of literals, or signed URLs."""
        answer = self.client.call(self.client.data_proxy.GetData, GetDataRequest(flyte_url=flyte_uri))
        kind = answer.WhichOneof("data")
        return getattr(answer, kind) if kind else None
