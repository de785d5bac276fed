"""A control plane without its network side: database, object store and cluster are the shipped fakes or real ones."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flyteidl.admin.event_pb2 import (
    NodeExecutionEventRequest,
    TaskExecutionEventRequest,
    WorkflowExecutionEventRequest,
)
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.admin.workflow_pb2 import Workflow, WorkflowClosure
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from google.protobuf.json_format import ParseDict
from sqlalchemy import Connection, insert, text

from flyte_admin.db import Database
from flyte_admin.db.migrate import migrate
from flyte_admin.db.schema import launch_plans, metadata, projects, workflows
from flyte_admin.dispatch import Dispatcher
from flyte_admin.dispatch.manifest import ManifestWriter
from flyte_admin.dispatch.orders import Order
from flyte_admin.executions.data import DataReader
from flyte_admin.executions.events import EventRecorder
from flyte_admin.executions.execution_config import LaunchSettings
from flyte_admin.executions.node_service import NodeExecutionService
from flyte_admin.executions.offload import Offloader
from flyte_admin.executions.project_defaults import StoredProjects
from flyte_admin.executions.reading import ExecutionReader
from flyte_admin.executions.service import ExecutionPorts, ExecutionService
from flyte_admin.executions.sources import LaunchSources
from flyte_admin.executions.task_service import TaskExecutionService
from flyte_admin.registry.admission import Domains
from flyte_admin.signals.service import SignalService
from flyte_admin.workflows.closures import ClosureStore
from flyte_core.clock import SystemClock
from flyte_core.cluster import Manifest
from flyte_core.errors import NotFound
from flyte_core.testing.fakes import MemoryCluster, MemoryStore

HERE = Path(__file__).parent
ENTITIES = HERE / "recorded" / "entities"
SHARED = HERE.parents[2] / "tests" / "golden" / "recorded"
METADATA = "s3://flyte/metadata"
_EVENTS = {
    "CreateWorkflowEvent": WorkflowExecutionEventRequest,
    "CreateNodeEvent": NodeExecutionEventRequest,
    "CreateTaskEvent": TaskExecutionEventRequest,
}


class Recording:
    """One recorded run of upstream."""

    def __init__(self, run: str) -> None:
        self.folder = HERE / "recorded" / run if (HERE / "recorded" / run).exists() else SHARED / run

    def json(self, name: str) -> Any:
        return json.loads((self.folder / f"{name}.json").read_text())

    def calls(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Method, request and response of every RPC, in order."""
        lines = [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]
        return [(line["method"].rsplit("/", 1)[1], line["request"], line["response"]) for line in lines]

    def events(self) -> list[Any]:
        return [ParseDict(request, _EVENTS[method]()) for method, request, _ in self.calls() if method in _EVENTS]


@dataclass
class Manifests:
    """Writes manifests; a test may have it fail."""

    write: Callable[[Order, WorkflowClosure], Manifest]

    def __call__(self, order: Order, closure: WorkflowClosure) -> Manifest:
        return self.write(order, closure)


@dataclass
class ControlPlane:
    database: Database
    store: MemoryStore
    cluster: MemoryCluster
    recorder: EventRecorder
    executions: ExecutionService
    reader: ExecutionReader
    nodes: NodeExecutionService
    tasks: TaskExecutionService
    signals: SignalService
    dispatcher: Dispatcher
    manifests: Manifests
    wakes: list[int]


def fill_registry(connection: Connection) -> None:
    """Store the recorded workflows and launch plans as registration does."""
    now = datetime.now(UTC)
    connection.execute(insert(projects).values(identifier="golden", name="golden"))
    for file in sorted(ENTITIES.glob("workflows-*.json")):
        workflow = ParseDict(json.loads(file.read_text()), Workflow(), ignore_unknown_fields=True)
        parts = {name: getattr(workflow.id, name) for name in ("project", "domain", "name", "version")}
        connection.execute(
            insert(workflows).values(
                **parts,
                created_at=now,
                typed_interface=workflow.closure.compiled_workflow.primary.template.interface.SerializeToString(),
                remote_closure_identifier=closure_uri(workflow.id),
                digest=b"",
            )
        )
    ids = {
        row.name: row.id
        for row in connection.execute(workflows.select().with_only_columns(workflows.c.name, workflows.c.id))
    }
    for file in sorted(ENTITIES.glob("launch_plans-*.json")):
        plan = ParseDict(json.loads(file.read_text()), LaunchPlan(), ignore_unknown_fields=True)
        add_launch_plan(connection, plan, ids[plan.spec.workflow_id.name])


def add_launch_plan(connection: Connection, plan: LaunchPlan, workflow_id: int) -> None:
    connection.execute(
        insert(launch_plans).values(
            **{name: getattr(plan.id, name) for name in ("project", "domain", "name", "version")},
            spec=plan.spec.SerializeToString(),
            closure=plan.closure.SerializeToString(),
            workflow_id=workflow_id,
            digest=b"",
        )
    )


def closure_uri(workflow: Identifier) -> str:
    return f"{METADATA}/admin/{workflow.project}/{workflow.domain}/{workflow.name}/{workflow.version}"


async def _no_single_task(identifier: Identifier) -> Identifier:
    raise NotFound(f"task {identifier.name} is not registered")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the newest schema, to be copied."""
    file = tmp_path_factory.mktemp("template") / "admin.db"

    async def fill() -> None:
        database = Database(f"sqlite:///{file}")
        await migrate(database)
        await database.close()

    asyncio.run(fill())
    return file


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_server: str, postgresql_template: str) -> str:
    """One PostgreSQL database for all tests here: emptying it is quicker than making another."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE executions TEMPLATE {postgresql_template}")
    base, _, query = postgresql_server.partition("?")
    return f"{base.rsplit('/', 1)[0]}/executions" + (f"?{query}" if query else "")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database with the newest schema; on PostgreSQL it may be full of another test's rows."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("shared_postgresql")
        return url
    shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "admin.db")
    return f"sqlite:///{tmp_path / 'admin.db'}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database with the newest schema."""
    database = Database(database_url)
    if database.dialect == "postgresql":
        tables = ", ".join(f'"{table}"' for table in metadata.tables)
        await database.write(
            lambda connection: connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")) and None
        )
    yield database
    await database.close()


@pytest.fixture
async def control_plane(database: Database) -> ControlPlane:
    store, cluster, clock = MemoryStore("s3://flyte/"), MemoryCluster(), SystemClock()
    await database.write(fill_registry)
    for file in ENTITIES.glob("workflows-*.json"):
        workflow = ParseDict(json.loads(file.read_text()), Workflow(), ignore_unknown_fields=True)
        await store.write(closure_uri(workflow.id), workflow.closure.SerializeToString())
    data = DataReader(store)
    wakes: list[int] = []
    manifests = Manifests(ManifestWriter())
    dispatcher = Dispatcher(database, cluster, ClosureStore(store, f"{METADATA}/admin"), manifests, clock)
    ports = ExecutionPorts(
        database=database,
        store=store,
        sources=LaunchSources(database, _no_single_task),
        check_project=StoredProjects(database, Domains({"development": "Development"})).check,
        clock=clock,
        metadata_prefix=METADATA,
        wake_dispatcher=lambda: wakes.append(1),
    )
    return ControlPlane(
        database,
        store,
        cluster,
        EventRecorder(database, Offloader(store, METADATA), clock),
        ExecutionService(ports, LaunchSettings(), data),
        ExecutionReader(database, data),
        NodeExecutionService(database, data),
        TaskExecutionService(database, data),
        SignalService(database, clock),
        dispatcher,
        manifests,
        wakes,
    )


@pytest.fixture
def recording() -> type[Recording]:
    return Recording


@pytest.fixture
def make_request() -> Callable[..., ExecutionCreateRequest]:
    """Makes requests to run a recorded launch plan (``single`` unless named) with integer inputs."""

    def make(name: str = "", plan: str = "single", **inputs: int) -> ExecutionCreateRequest:
        request = ExecutionCreateRequest(project="golden", domain="development", name=name)
        request.spec.launch_plan.CopyFrom(
            Identifier(
                resource_type=ResourceType.LAUNCH_PLAN,
                project="golden",
                domain="development",
                name=f"golden_wf.{plan}",
                version="v1",
            )
        )
        request.inputs.SetInParent()
        for key, value in inputs.items():
            request.inputs.literals[key].scalar.primitive.integer = value
        return request

    return make
