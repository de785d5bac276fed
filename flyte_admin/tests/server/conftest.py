"""A running control plane for tests that speak its protocols."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from flyteidl.admin.launch_plan_pb2 import LaunchPlanCreateRequest
from flyteidl.admin.task_pb2 import TaskCreateRequest
from flyteidl.admin.workflow_pb2 import WorkflowCreateRequest
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.interface_pb2 import TypedInterface
from flyteidl.core.literals_pb2 import Binding
from flyteidl.core.types_pb2 import SimpleType
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_admin.app import AdminApp, AdminPorts
from flyte_admin.settings import AdminSettings, DatabaseSettings, ServerSettings, StorageSettings
from flyte_core.testing.fakes import MemoryCluster, MemoryStore


@dataclass(frozen=True)
class RunningAdmin:
    """A control plane on free ports of the loopback, over fakes of store and cluster."""

    app: AdminApp
    store: MemoryStore
    cluster: MemoryCluster
    channel: grpc.aio.Channel
    stub: AdminServiceStub
    http: httpx.AsyncClient


def admin_settings(database_url: str, **server: object) -> AdminSettings:
    """Settings on free ports."""
    listening = ServerSettings(grpc_address="127.0.0.1:0", http_address="127.0.0.1:0", **server)
    return AdminSettings(DatabaseSettings(database_url), StorageSettings("mem://flyte"), listening)


@contextlib.asynccontextmanager
async def running(settings: AdminSettings) -> AsyncIterator[RunningAdmin]:
    """Run a control plane with these settings."""
    store, cluster = MemoryStore(), MemoryCluster()
    app = await AdminApp.start(settings, AdminPorts(store, cluster))
    async with (
        grpc.aio.insecure_channel(app.grpc_address, options=[("grpc.max_send_message_length", -1)]) as channel,
        httpx.AsyncClient(base_url=f"http://{app.http_address}") as http,
    ):
        yield RunningAdmin(app, store, cluster, channel, AdminServiceStub(channel), http)
    await app.stop(grace=0)


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator[RunningAdmin]:
    """A control plane on an empty database, with the project ``flytesnacks``."""
    async with running(admin_settings(database_url)) as admin:
        yield admin


@pytest.fixture
async def sqlite_admin(tmp_path: Path) -> AsyncIterator[RunningAdmin]:
    """The same, on SQLite only: for what has nothing to do with the database."""
    async with running(admin_settings(f"sqlite:///{tmp_path / 'admin.db'}")) as admin:
        yield admin


TASK, WORKFLOW, LAUNCH_PLAN = ResourceType.TASK, ResourceType.WORKFLOW, ResourceType.LAUNCH_PLAN


class Make:
    """Small requests to register things with."""

    @staticmethod
    def named(kind: int, name: str, version: str = "v1") -> Identifier:
        return Identifier(resource_type=kind, project="flytesnacks", domain="development", name=name, version=version)

    @staticmethod
    def interface() -> TypedInterface:
        found = TypedInterface()
        found.inputs.variables["x"].type.simple = SimpleType.INTEGER
        found.outputs.variables["o0"].type.simple = SimpleType.INTEGER
        return found

    @staticmethod
    def task(name: str = "double", version: str = "v1", image: str = "img:1") -> TaskCreateRequest:
        request = TaskCreateRequest(id=Make.named(TASK, name, version))
        template = request.spec.template
        template.type = "python-task"
        template.metadata.retries.retries = 1
        template.interface.CopyFrom(Make.interface())
        template.container.image = image
        return request

    @staticmethod
    def binding(variable: str, node: str, source: str) -> Binding:
        found = Binding(var=variable)
        found.binding.promise.node_id = node
        found.binding.promise.var = source
        return found

    @staticmethod
    def workflow(name: str = "wf", version: str = "v1", tasks: tuple[str, ...] = ("double",)) -> WorkflowCreateRequest:
        """A chain of tasks."""
        request = WorkflowCreateRequest(id=Make.named(WORKFLOW, name, version))
        template = request.spec.template
        template.id.CopyFrom(request.id)
        template.interface.CopyFrom(Make.interface())
        before = ("", "x")
        for index, task_name in enumerate(tasks):
            node = template.nodes.add(id=f"n{index}", inputs=[Make.binding("x", *before)])
            node.task_node.reference_id.CopyFrom(Make.named(TASK, task_name))
            before = (node.id, "o0")
        template.outputs.append(Make.binding("o0", *before))
        return request

    @staticmethod
    def launch_plan(name: str = "wf", version: str = "v1", workflow_name: str = "wf") -> LaunchPlanCreateRequest:
        request = LaunchPlanCreateRequest(id=Make.named(LAUNCH_PLAN, name, version))
        request.spec.workflow_id.CopyFrom(Make.named(WORKFLOW, workflow_name))
        return request


@pytest.fixture
def make() -> type[Make]:
    """Builders of requests."""
    return Make
