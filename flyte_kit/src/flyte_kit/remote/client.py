"""Typed calls of the control plane's services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from flyteidl.admin.common_pb2 import (
    NamedEntityIdentifier,
    NamedEntityIdentifierListRequest,
    ObjectGetRequest,
    ResourceListRequest,
    Sort,
)
from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanMessage
from flyteidl.admin.task_pb2 import Task as TaskMessage
from flyteidl.admin.workflow_pb2 import Workflow as WorkflowMessage
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.dataproxy_pb2_grpc import DataProxyServiceStub
from flyteidl.service.signal_pb2_grpc import SignalServiceStub

from flyte_kit.remote.channel import Caller

PAGE = 100
NEWEST = Sort(key="created_at", direction=Sort.DESCENDING)
OLDEST = Sort(key="created_at", direction=Sort.ASCENDING)
_FIELDS = {ResourceType.TASK: "tasks", ResourceType.WORKFLOW: "workflows", ResourceType.LAUNCH_PLAN: "launch_plans"}


class Client:
    """The services of a control plane over one channel.

    :ivar admin: stub of AdminService; likewise ``data_proxy`` and ``signals``
    """

    def __init__(self, channel: grpc.Channel, caller: Caller | None = None) -> None:
        self.channel = channel
        self.admin = AdminServiceStub(channel)
        self.data_proxy = DataProxyServiceStub(channel)
        self.signals = SignalServiceStub(channel)
        self._caller = caller or Caller()

    def call(self, method: Any, request: Any, *, timeout: float | None = None) -> Any:
        """Make a call; see :meth:`flyte_kit.remote.channel.Caller.call`."""
        return self._caller.call(method, request, timeout=timeout)

    def get(self, identifier: Identifier) -> Any:
        """Return a registered task, workflow or launch plan."""
        method = {
            ResourceType.TASK: self.admin.GetTask,
            ResourceType.WORKFLOW: self.admin.GetWorkflow,
            ResourceType.LAUNCH_PLAN: self.admin.GetLaunchPlan,
        }[identifier.resource_type]
        return self.call(method, ObjectGetRequest(id=identifier))

    def get_task(self, identifier: Identifier) -> TaskMessage:
        """Return a registered task."""
        found: TaskMessage = self.get(identifier)
        return found

    def get_workflow(self, identifier: Identifier) -> WorkflowMessage:
        """Return a registered workflow."""
        found: WorkflowMessage = self.get(identifier)
        return found

    def get_launch_plan(self, identifier: Identifier) -> LaunchPlanMessage:
        """Return a registered launch plan."""
        found: LaunchPlanMessage = self.get(identifier)
        return found

    def list_versions(
        self,
        resource_type: int,
        name: NamedEntityIdentifier,
        *,
        limit: int = PAGE,
        filters: str = "",
        sort: Sort = NEWEST,
    ) -> Iterator[Any]:
        """Yield registered versions, newest first, up to ``limit``; those of every name without a name."""
        method = {
            ResourceType.TASK: self.admin.ListTasks,
            ResourceType.WORKFLOW: self.admin.ListWorkflows,
            ResourceType.LAUNCH_PLAN: self.admin.ListLaunchPlans,
        }[resource_type]
        request = ResourceListRequest(id=name, limit=min(limit, PAGE), filters=filters, sort_by=sort)
        return self.pages(method, request, _FIELDS[resource_type], limit)

    def list_names(self, resource_type: int, project: str, domain: str, limit: int = PAGE) -> Iterator[Any]:
        """Yield the names of registered entities."""
        method = {
            ResourceType.TASK: self.admin.ListTaskIds,
            ResourceType.WORKFLOW: self.admin.ListWorkflowIds,
            ResourceType.LAUNCH_PLAN: self.admin.ListLaunchPlanIds,
        }[resource_type]
        request = NamedEntityIdentifierListRequest(project=project, domain=domain, limit=min(limit, PAGE))
        return self.pages(method, request, "entities", limit)

    def pages(self, method: Any, request: Any, field: str, limit: int | None = None) -> Iterator[Any]:
        """Yield the items of all pages of a list call, up to ``limit``."""
        count = 0
        while True:
            answer = self.call(method, request)
            for item in getattr(answer, field):
                if limit is not None and count >= limit:
                    return
                count += 1
                yield item
            if not answer.token or (limit is not None and count >= limit):
                return
            request.token = answer.token

    def close(self) -> None:
        """Close the channel."""
        self.channel.close()
