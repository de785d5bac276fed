"""The control plane as a whole: starting, stopping, and a task launched by itself."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import grpc
import pytest
from flyteidl.admin.common_pb2 import (
    NamedEntityGetRequest,
    NamedEntityIdentifier,
    NamedEntityListRequest,
    ObjectGetRequest,
)
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest
from flyteidl.admin.project_pb2 import ProjectListRequest
from flyteidl.core.identifier_pb2 import ResourceType

from flyte_admin.app import AdminApp, AdminPorts
from flyte_admin.db import Database
from flyte_admin.launch_plans.single_task import node_id
from flyte_admin.settings import AdminSettings, DatabaseSettings, ServerSettings, StorageSettings
from flyte_core.cluster import FLYTE_WORKFLOW
from flyte_core.errors import ConfigError
from flyte_core.testing.fakes import MemoryCluster, MemoryStore


def settings(url: str, **parts: Any) -> AdminSettings:
    addresses = {"grpc_address": "127.0.0.1:0", "http_address": "127.0.0.1:0", **parts}
    return AdminSettings(DatabaseSettings(url), StorageSettings("mem://flyte"), ServerSettings(**addresses))


def ports() -> AdminPorts:
    return AdminPorts(MemoryStore(), MemoryCluster())


async def test_what_was_registered_is_there_after_a_restart(database_url: str) -> None:
    for _ in range(2):  # the second start finds the schema and the project
        app = await AdminApp.start(settings(database_url), ports())
        assert not app.grpc_address.endswith(":0")
        assert not app.http_address.endswith(":0")
        await app.stop(grace=0)
    database = Database(database_url)
    count = await database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM projects").scalar())
    await database.close()
    assert count == 1


@pytest.mark.parametrize("which", ["grpc_address", "http_address"])
async def test_a_port_in_use_is_named_and_nothing_is_left_running(tmp_path: Path, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"{which}.*{address}"):
            await AdminApp.start(settings(f"sqlite:///{tmp_path / 'admin.db'}", **{which: address}), ports())
    left = {task.get_name() for task in asyncio.all_tasks()} & {"dispatch", "deliver-events", "http-server"}
    assert not left


async def test_what_was_acknowledged_before_a_stop_is_stored(tmp_path: Path, sqlite_admin: Any, make: Any) -> None:
    calls = [sqlite_admin.stub.CreateTask(make.task(f"t{number}")) for number in range(50)]
    pending = [asyncio.ensure_future(call.code()) for call in calls]
    await asyncio.sleep(0.02)
    await sqlite_admin.app.stop(grace=5)
    acknowledged = [f"t{number}" for number, code in enumerate(pending) if await code is grpc.StatusCode.OK]
    database = Database(f"sqlite:///{tmp_path / 'admin.db'}")
    stored = await database.read(lambda c: c.exec_driver_sql("SELECT name FROM tasks").scalars().all())
    await database.close()
    assert acknowledged
    assert set(acknowledged) <= set(stored)


async def test_a_task_launched_by_itself_gets_a_workflow_and_a_launch_plan(admin: Any, make: Any) -> None:
    await admin.stub.CreateTask(make.task())
    request = ExecutionCreateRequest(project="flytesnacks", domain="development", name="single")
    request.spec.launch_plan.CopyFrom(make.named(ResourceType.TASK, "double"))
    request.inputs.literals["x"].scalar.primitive.integer = 3
    created = await admin.stub.CreateExecution(request)
    assert created.id.name == "single"
    while (manifest := await admin.cluster.get(FLYTE_WORKFLOW, "flytesnacks-development", "single")) is None:
        await asyncio.sleep(0.01)
    assert manifest["metadata"]["labels"]["execution-id"] == "single"
    workflow = await admin.stub.GetWorkflow(ObjectGetRequest(id=make.named(ResourceType.WORKFLOW, ".flytegen.double")))
    template = workflow.closure.compiled_workflow.primary.template
    (node,) = [node for node in template.nodes if node.HasField("task_node")]
    assert (node.id, node.metadata.retries.retries) == ("double", 1)
    plan = await admin.stub.GetLaunchPlan(ObjectGetRequest(id=make.named(ResourceType.LAUNCH_PLAN, ".flytegen.double")))
    assert plan.closure.expected_inputs.parameters["x"].required
    name = NamedEntityIdentifier(project="flytesnacks", domain="development", name=".flytegen.double")
    for kind in (ResourceType.WORKFLOW, ResourceType.LAUNCH_PLAN):
        entity = await admin.stub.GetNamedEntity(NamedEntityGetRequest(resource_type=kind, id=name))
        assert entity.metadata.state == 2
    every = NamedEntityListRequest(
        resource_type=ResourceType.WORKFLOW, project="flytesnacks", domain="development", limit=5
    )
    assert not (await admin.stub.ListNamedEntities(every)).entities
    every.filters = "ne(name,x)"
    assert [found.id.name for found in (await admin.stub.ListNamedEntities(every)).entities] == [".flytegen.double"]
    request.name = "again"
    await admin.stub.CreateExecution(request)


def test_a_node_id_keeps_the_end_of_the_tasks_name() -> None:
    assert node_id("my_module.sub.double-it") == "mymodulesubdouble-it"
    assert len(node_id("x" * 200)) == 63


async def test_the_seeded_projects_are_those_of_the_settings(tmp_path: Path) -> None:
    chosen = settings(f"sqlite:///{tmp_path / 'admin.db'}")
    chosen = AdminSettings(chosen.database, chosen.storage, chosen.server, projects=("one", "two"))
    app = await AdminApp.start(chosen, ports())
    listed = await app._projects.list(ProjectListRequest())
    await app.stop(grace=0)
    assert [project.id for project in listed.projects] == ["one", "two"]
