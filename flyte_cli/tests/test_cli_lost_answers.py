"""Commands whose answer was lost on its way find what they started the first time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from flyteidl.admin.execution_pb2 import Execution, ExecutionCreateResponse
from flyteidl.admin.launch_plan_pb2 import LaunchPlan
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server

from command_here import run_here


class Admin(AdminServiceServicer):
    """Starts what it is asked to, and loses the first answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def _start(self, name: str, context: Any) -> ExecutionCreateResponse:
        self.asked.append(name)
        if len(self.asked) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
        if name in self.asked[:-1]:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, "it is there")
        return ExecutionCreateResponse(id=WorkflowExecutionIdentifier(name=name))

    def CreateExecution(self, request: Any, context: Any) -> ExecutionCreateResponse:
        return self._start(request.name, context)

    RelaunchExecution = RecoverExecution = CreateExecution

    def GetLaunchPlan(self, request: Any, context: Any) -> LaunchPlan:
        return LaunchPlan(id=request.id)

    def GetExecution(self, request: Any, context: Any) -> Execution:
        return Execution(id=request.id)


@pytest.fixture
def admin() -> Iterator[Admin]:
    service = Admin()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    add_AdminServiceServicer_to_server(service, server)
    service.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield service
    server.stop(None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("relaunch", "old"),
        ("recover", "old"),
        ("execution", "--execution-id", "old", "recover"),
        ("create", "execution", "--workflow", "wf", "--version", "1"),
        ("create", "execution", "--relaunch", "old"),
    ],
    ids=" ".join,
)
def test_nothing_is_started_twice(admin, tmp_path, arguments) -> None:
    environment = {"HOME": str(tmp_path), "FLYTE_PLATFORM_URL": f"127.0.0.1:{admin.port}"}
    done = run_here(arguments, environment, seconds=30)
    assert done.returncode == 0, done.stderr
    assert len(admin.asked) == 2
    assert set(admin.asked) == {done.stdout.strip()}
    assert done.stdout.strip() not in ("", "old")
