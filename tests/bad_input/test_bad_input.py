"""What is wrong gets a clear error that names the thing; nothing is half-written; the server goes on."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from flyteidl.admin.common_pb2 import NamedEntityIdentifier, ResourceListRequest
from flyteidl.admin.execution_pb2 import ExecutionSpec, WorkflowExecutionGetRequest
from flyteidl.admin.version_pb2 import GetVersionRequest
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import Literal, Primitive, Scalar
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.dataproxy_pb2 import CreateUploadLocationRequest, CreateUploadLocationResponse
from flyteidl.service.dataproxy_pb2_grpc import DataProxyServiceStub
from google.protobuf.duration_pb2 import Duration

from flyte_up import Server, free_ports, start_up
from registering import WHERE, execution_request, integer, node, register, task_request, workflow_request

BROKEN = Path(__file__).parent / "broken_plugin"
ENDED = {WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(BROKEN), before]))
    try:
        server = start_up(tmp_path_factory.mktemp("bad") / "data", free_ports(3), sys.executable)
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def channel(up: Server) -> Iterator[grpc.Channel]:
    limit = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{up.ports[0]}", options=limit) as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(channel: grpc.Channel) -> AdminServiceStub:
    stub = AdminServiceStub(channel)
    stub.CreateTask(task_request("fails"))
    register(stub, "plain", [node("n0", "fails")])
    return stub


@pytest.fixture(autouse=True)
def server_stays_alive(admin: AdminServiceStub) -> Iterator[None]:
    yield
    assert admin.GetVersion(GetVersionRequest(), timeout=5).control_plane_version.Version


def refused(call: grpc.UnaryUnaryMultiCallable, request: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=20)
    return caught.value.code(), caught.value.details()


def executions(admin: AdminServiceStub) -> int:
    request = ResourceListRequest(id=NamedEntityIdentifier(**WHERE), limit=1000)
    return len(admin.ListExecutions(request).executions)


@pytest.mark.parametrize("name", ["Upper", "9digit", "under_score", "a" * 64, "sla/sh", "nul\0"])
def test_a_malformed_execution_name(admin: AdminServiceStub, name: str) -> None:
    before = executions(admin)
    code, text = refused(admin.CreateExecution, execution_request("plain", name))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "name" in text
    assert executions(admin) == before


def test_an_identifier_without_a_version(admin: AdminServiceStub) -> None:
    request = task_request("no-version")
    request.id.version = ""
    code, text = refused(admin.CreateTask, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "version" in text


def test_an_unknown_project(admin: AdminServiceStub) -> None:
    code, text = refused(admin.CreateTask, task_request("elsewhere", project="nowhere"))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "nowhere" in text


def test_an_input_of_the_wrong_type(admin: AdminServiceStub) -> None:
    before = executions(admin)
    text_value = Literal(scalar=Scalar(primitive=Primitive(string_value="one")))
    code, text = refused(admin.CreateExecution, execution_request("plain", "wrong-type", {"x": text_value}))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "x" in text
    assert executions(admin) == before


def test_a_missing_input(admin: AdminServiceStub) -> None:
    code, text = refused(admin.CreateExecution, execution_request("plain", "missing", {}))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "x" in text
    assert "missing" in text


def test_an_input_that_nobody_asked_for(admin: AdminServiceStub) -> None:
    request = execution_request("plain", "unknown", {"x": integer(1), "zebra": integer(2)})
    code, text = refused(admin.CreateExecution, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "zebra" in text


def test_a_cycle(admin: AdminServiceStub) -> None:
    nodes = [node("n0", "fails", "n1"), node("n1", "fails", "n0")]
    code, text = refused(admin.CreateWorkflow, workflow_request("cycle", nodes))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "CycleDetected" in text
    assert "n0" in text


def test_a_message_of_25_mebibytes(admin: AdminServiceStub) -> None:
    request = task_request("huge")
    request.spec.template.container.args.append("x" * (25 * 2**20))
    code, _ = refused(admin.CreateTask, request)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_request_without_anything(admin: AdminServiceStub) -> None:
    request = execution_request("plain", "empty")
    request.spec.CopyFrom(ExecutionSpec())
    code, _ = refused(admin.CreateExecution, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def failure_of(admin: AdminServiceStub, task_type: str, name: str) -> str:
    """Run a workflow of one task of that type; return the error with which it fails."""
    admin.CreateTask(task_request(f"task-{name}", task_type))
    register(admin, f"workflow-{name}", [node("n0", f"task-{name}")])
    admin.CreateExecution(execution_request(f"workflow-{name}", name))
    wanted = WorkflowExecutionGetRequest(id=WorkflowExecutionIdentifier(name=name, **WHERE))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        closure = admin.GetExecution(wanted).closure
        if closure.phase in ENDED:
            assert closure.phase == WorkflowExecution.FAILED
            return str(closure.error.message)
        time.sleep(0.05)
    raise AssertionError("the execution hangs")


def test_a_plugin_that_raises_at_import(admin: AdminServiceStub) -> None:
    message = failure_of(admin, "broken-type", "broken")
    assert "broken" in message
    assert "no luck at import" in message


def test_a_task_type_that_no_plugin_serves(admin: AdminServiceStub) -> None:
    message = failure_of(admin, "spark", "unserved")
    assert "'spark'" in message
    assert "flyte-plugin-spark serves it" in message


def test_a_plugin_for_a_newer_interface_is_listed_with_its_reason() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "flyte_cli", "plugins", "list"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(BROKEN), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "it needs flyte-core >=99" in listed
    assert "pod" in listed


def upload_location(channel: grpc.Channel, body: bytes, name: str) -> CreateUploadLocationResponse:
    request = CreateUploadLocationRequest(
        **WHERE, filename=name, content_md5=hashlib.md5(body, usedforsecurity=False).digest()
    )
    answer: CreateUploadLocationResponse = DataProxyServiceStub(channel).CreateUploadLocation(request)
    return answer


def put(location: CreateUploadLocationResponse, body: bytes, md5_of: bytes) -> tuple[int, str]:
    md5 = base64.b64encode(hashlib.md5(md5_of, usedforsecurity=False).digest()).decode()
    headers = {**location.headers, "Content-MD5": md5}
    request = urllib.request.Request(location.signed_url, data=body, method="PUT", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def stored(up: Server, location: CreateUploadLocationResponse) -> bool:
    name = location.native_url.rpartition("/")[2]
    return any(path.name.startswith(name) for path in (up.data / "objects").rglob("*"))


def test_an_upload_with_a_wrong_md5(up: Server, channel: grpc.Channel) -> None:
    location = upload_location(channel, b"right", "wrong-md5")
    code, text = put(location, b"other", b"right")
    assert code == 400
    assert "BadDigest" in text
    assert not stored(up, location)


def test_an_upload_that_is_right(up: Server, channel: grpc.Channel) -> None:
    location = upload_location(channel, b"", "empty")
    assert put(location, b"", b"")[0] in (200, 201)
    assert stored(up, location)


def test_an_upload_to_a_path_outside_the_prefix(channel: grpc.Channel) -> None:
    request = CreateUploadLocationRequest(**WHERE, filename="../../../../etc/passwd", filename_root="../..")
    code, text = refused(DataProxyServiceStub(channel).CreateUploadLocation, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert ".." in text


def test_an_upload_for_longer_than_is_allowed(channel: grpc.Channel) -> None:
    month = Duration(seconds=int(timedelta(days=30).total_seconds()))
    request = CreateUploadLocationRequest(**WHERE, filename="late", content_md5=b"0" * 16, expires_in=month)
    code, text = refused(DataProxyServiceStub(channel).CreateUploadLocation, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "expires_in" in text


def flyte(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flyte_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_port_in_use(up: Server, tmp_path: Path) -> None:
    taken = ("--port", str(up.ports[0]), "--http-port", str(up.ports[1]))
    done = flyte("up", "--data", str(tmp_path / "other"), *taken)
    assert done.returncode == 1
    assert f"--port {up.ports[0]}" in done.stderr
    assert f"--http-port {up.ports[1]}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_in_use(up: Server) -> None:
    grpc_port, http_port, s3_port = (str(port) for port in free_ports(3))
    done = flyte(
        "up", "--data", str(up.data), "--port", grpc_port, "--http-port", http_port, "--s3-port", s3_port
    )  # fmt: skip
    assert done.returncode == 1
    assert str(up.data) in done.stderr
    assert str(up.process.pid) in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_others_can_reach(tmp_path: Path) -> None:
    done = flyte("up", "--data", str(tmp_path), "--host", "0.0.0.0")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own needs root")
def test_a_full_disk_on_upload(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        server = start_up(small / "data", free_ports(3), sys.executable)
        body = os.urandom(16 * 2**20)
        with grpc.insecure_channel(f"127.0.0.1:{server.ports[0]}") as channel:
            location = upload_location(channel, body, "too-much")
            code, text = put(location, body, body)
            assert code >= 500
            assert "space" in text.lower() or "full" in text.lower()
            assert not stored(server, location)
            assert put(upload_location(channel, b"little", "little"), b"little", b"little")[0] in (200, 201)
            assert AdminServiceStub(channel).GetVersion(GetVersionRequest(), timeout=5)
        assert server.stop() == 0
    finally:
        subprocess.run(["umount", str(small)], check=False)
