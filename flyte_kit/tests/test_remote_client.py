"""The client against a control plane that misbehaves on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from flyteidl.admin.execution_pb2 import (
    Execution,
    ExecutionClosure,
    ExecutionCreateRequest,
    ExecutionCreateResponse,
    ExecutionSpec,
    WorkflowExecutionGetDataResponse,
    WorkflowExecutionGetRequest,
)
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.service.admin_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server

from flyte_kit.configuration import Config
from flyte_kit.exceptions.system import FlyteSystemUnavailableException
from flyte_kit.exceptions.user import (
    FlyteAuthenticationException,
    FlyteEntityNotExistException,
    FlyteInvalidInputException,
    FlyteTimeout,
)
from flyte_kit.remote import FlyteRemote
from flyte_kit.remote.channel import ATTEMPTS
from flyte_kit.remote.launching import new_execution_name
from flyte_kit.remote.watching import pauses

P = WorkflowExecution


class Admin(AdminServiceServicer):
    def __init__(self) -> None:
        self.created: list[str] = []
        self.asked: list[str] = []
        self.lose_answers = 0
        self.refuse: grpc.StatusCode | None = None
        self.phases: list[int] = []
        self.headers: dict[str, str] = {}

    def CreateExecution(self, request: ExecutionCreateRequest, context: Any) -> ExecutionCreateResponse:
        self.asked.append(request.name)
        self.headers = dict(context.invocation_metadata())
        if self.refuse is not None:
            context.abort(self.refuse, "the launch plan is gone")
        if request.name in self.created:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, "it is there")
        self.created.append(request.name)
        if self.lose_answers:
            self.lose_answers -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
        identifier = WorkflowExecutionIdentifier(project=request.project, domain=request.domain, name=request.name)
        return ExecutionCreateResponse(id=identifier)

    def GetExecution(self, request: WorkflowExecutionGetRequest, context: Any) -> Execution:
        if request.id.name not in self.created:
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is no execution {request.id.name}")
        phase = self.phases.pop(0) if self.phases else P.SUCCEEDED
        return Execution(id=request.id, closure=ExecutionClosure(phase=phase), spec=ExecutionSpec())

    def GetExecutionData(self, request: Any, context: Any) -> WorkflowExecutionGetDataResponse:
        return WorkflowExecutionGetDataResponse()

    def GetWorkflow(self, request: Any, context: Any) -> None:
        context.abort(grpc.StatusCode.NOT_FOUND, "there is no workflow")


class Impatient(FlyteRemote):
    """Notes how long it would have slept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.slept: list[float] = []
        self.sleep = self.slept.append


@pytest.fixture
def admin() -> Admin:
    return Admin()


@pytest.fixture
def remote(admin: Admin) -> Iterator[Impatient]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_AdminServiceServicer_to_server(admin, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = Impatient(Config.for_endpoint(f"127.0.0.1:{port}", insecure=True), "p", "d")
    yield client
    client.close()
    server.stop(None)


def _start(remote: FlyteRemote, name: str) -> Any:
    return remote.create_execution(ExecutionSpec(), LiteralMap(), project="p", domain="d", name=name)


def test_a_lost_answer_never_starts_a_second_execution(admin: Admin, remote: Impatient) -> None:
    admin.lose_answers = 1
    execution = _start(remote, "one")
    assert admin.asked == ["one", "one"]
    assert admin.created == ["one"]
    assert execution.name == "one"


def test_a_control_plane_that_stays_away_is_given_up_after_some_attempts(admin: Admin, remote: Impatient) -> None:
    admin.refuse = grpc.StatusCode.UNAVAILABLE
    with pytest.raises(FlyteSystemUnavailableException):
        _start(remote, "one")
    assert len(admin.asked) == ATTEMPTS


def test_a_refusal_is_told_with_the_servers_words_and_not_repeated(admin: Admin, remote: Impatient) -> None:
    admin.refuse = grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(FlyteInvalidInputException, match="the launch plan is gone"):
        _start(remote, "one")
    assert admin.asked == ["one"]


def test_a_missing_execution_is_its_own_error(remote: Impatient) -> None:
    with pytest.raises(FlyteEntityNotExistException, match="nobody"):
        remote.fetch_execution(name="nobody")


def test_waiting_looks_often_at_first_and_seldom_later(admin: Admin, remote: Impatient) -> None:
    execution = _start(remote, "one")
    admin.phases = [P.QUEUED, *[P.RUNNING] * 12, P.SUCCEEDED]
    done = remote.wait(execution, sync_nodes=False)
    assert done.is_done
    assert remote.slept[0] == pytest.approx(0.2)
    assert remote.slept == sorted(remote.slept)
    assert max(remote.slept) <= 4.0


def test_waiting_ends_at_its_timeout(admin: Admin, remote: Impatient) -> None:
    execution = _start(remote, "one")
    admin.phases = [P.RUNNING] * 5
    with pytest.raises(FlyteTimeout, match="one did not complete"):
        remote.wait(execution, timeout=0.1)


def test_pauses_never_grow_beyond_the_longest() -> None:
    made = pauses(0.2, 1.0)
    assert [next(made) for _ in range(8)][-1] == 1.0


def test_execution_names_are_new_and_valid() -> None:
    names = {new_execution_name() for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"[a-z][a-z0-9]{19}", name) for name in names)
    assert len(new_execution_name("x" * 100)) <= 63


class Guarded(Admin):
    """Wants to know who asks."""

    def CreateExecution(self, request: ExecutionCreateRequest, context: Any) -> ExecutionCreateResponse:
        if dict(context.invocation_metadata()).get("authorization") != "Bearer 1":
            self.asked.append("refused")
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you")
        return super().CreateExecution(request, context)


class Renewing:
    """A login whose first token is not good any more."""

    def __init__(self, last: int) -> None:
        self.renewals, self._last = 0, last

    def metadata(self) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self.renewals}")]

    def renew(self) -> bool:
        self.renewals = min(self.renewals + 1, self._last)
        return True


@pytest.mark.parametrize(("last", "created"), [(1, ["one"]), (0, [])])
def test_a_login_is_renewed_once_after_a_refusal(last: int, created: list[str]) -> None:
    admin = Guarded()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_AdminServiceServicer_to_server(admin, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    login = Renewing(last)
    client = Impatient(Config.for_endpoint(f"127.0.0.1:{port}", insecure=True), "p", "d", credentials=login)
    if created:
        _start(client, "one")
    else:
        with pytest.raises(FlyteAuthenticationException, match="who are you"):
            _start(client, "one")
    assert admin.created == created
    assert admin.asked.count("refused") == 2 - len(created)
    client.close()
    server.stop(None)
