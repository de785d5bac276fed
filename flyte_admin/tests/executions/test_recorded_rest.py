"""The same recorded runs over REST: the JSON is upstream's, letter for letter but for what the server's clock made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
from flyteidl.admin.event_pb2 import WorkflowExecutionEventRequest
from flyteidl.admin.execution_pb2 import ExecutionCreateRequest
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from google.protobuf.json_format import ParseDict
from google.rpc.status_pb2 import Status

from flyte_admin.app import AdminApp, AdminPorts
from flyte_admin.settings import AdminSettings, DatabaseSettings, ServerSettings, StorageSettings

RUNS = ["single", "branch", "parent_map", "parent_dyn", "gates"]
JSON = {"Accept": "application/json"}


@pytest.fixture
async def app(control_plane: Any, database_url: str) -> AsyncIterator[AdminApp]:
    """A server on the same database and object store."""
    server = ServerSettings(grpc_address="127.0.0.1:0", http_address="127.0.0.1:0")
    settings = AdminSettings(DatabaseSettings(database_url), StorageSettings("s3://flyte"), server)
    ports = AdminPorts(control_plane.store, control_plane.cluster, control_plane.manifests)
    app = await AdminApp.start(settings, ports)
    yield app
    await app.stop(grace=0)


@pytest.mark.parametrize("run", RUNS)
async def test_rest_answers_as_upstream_did(app: AdminApp, recording: Any, run: str) -> None:
    recorded = recording(run)
    async with httpx.AsyncClient(base_url=f"http://{app.http_address}/api/v1", headers=JSON) as http:
        request = recorded.json("create-request")
        created = await http.post("executions", json=request)
        assert created.json() == {"id": {**recorded.json("rest-execution")["id"]}}
        assert all(outcome.error is None for outcome in await app.events.record(recorded.events()))
        path = f"golden/development/{request['name']}"

        found = (await http.get(f"executions/{path}")).json()
        assert found == without_server_times(recorded.json("rest-execution"), like=found)
        nodes = (await http.get(f"node_executions/{path}", params={"limit": 100})).json()
        nodes["node_executions"].sort(key=lambda node: node["id"]["node_id"])
        assert nodes == recorded.json("rest-node-executions")
        for node, wanted in recorded.json("rest-task-executions").items():
            tasks = (await http.get(f"task_executions/{path}/{node}", params={"limit": 100})).json()
            assert in_microseconds(tasks) == in_microseconds(wanted)
        single = (await http.get(f"node_executions/{path}/n0")).json()
        assert single == recorded.json("rest-node-executions-by-id")["n0"]


def without_server_times(document: Any, *, like: Any) -> Any:
    document["closure"]["created_at"] = like["closure"]["created_at"]
    document["closure"]["state_change_details"]["occurred_at"] = like["closure"]["state_change_details"]["occurred_at"]
    return document


def in_microseconds(tasks: Any) -> Any:
    """Upstream shows the start from its database after a second RUNNING event, from the event after the first."""
    for task in tasks["task_executions"]:
        closure = task["closure"]
        closure["started_at"] = closure["started_at"].rstrip("Z")[:26]
    return tasks


async def test_a_refused_event_carries_its_reason_over_grpc(app: AdminApp, recording: Any) -> None:
    recorded = recording("single")
    async with grpc.aio.insecure_channel(app.grpc_address) as channel:
        stub = AdminServiceStub(channel)
        await stub.CreateExecution(ParseDict(recorded.json("create-request"), ExecutionCreateRequest()))
        events = [event for event in recorded.events() if isinstance(event, WorkflowExecutionEventRequest)]
        for event in events:
            await stub.CreateWorkflowEvent(event)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.CreateWorkflowEvent(events[0])
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    trailers = dict(refused.value.trailing_metadata() or ())
    assert b"EventFailureReason" in Status.FromString(trailers["grpc-status-details-bin"]).details[0].type_url.encode()
