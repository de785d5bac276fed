"""`flyte top` and `flyte metrics`: what runs, and where the time went."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time

from flyteidl.admin.event_pb2 import NodeExecutionEventRequest
from flyteidl.admin.signal_pb2 import SignalGetOrCreateRequest
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.execution_pb2 import NodeExecution
from flyteidl.core.execution_pb2 import TaskExecution as TaskPhases
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, SignalIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.types_pb2 import BOOLEAN, LiteralType
from flyteidl.service.signal_pb2_grpc import SignalServiceStub
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_cli.executions.waiting_reasons import attempt_text
from registering import WHERE


def test_running_nodes_are_shown_with_what_they_wait_for(up, eventually) -> None:
    up.register("works", "sleep 30")
    up.launch("works", "works1")

    def rows() -> dict[tuple[str, str], dict]:
        found = json.loads(up.flyte("top", "-o", "json"))
        return {(row["execution"], row["node"]): row for row in found}

    eventually(lambda: rows().get(("works1", "n0"), {}).get("waiting_for") == "its task, which runs")
    found = rows()
    assert found[("works1", "")]["runs"] == "works"
    assert found[("works1", "n0")]["runs"] == "works.task0"
    assert 0 < found[("works1", "n0")]["seconds"] < 30
    heading, *lines = up.flyte("top").splitlines()
    assert heading.split() == ["EXECUTION", "NODE", "RUNS", "PHASE", "DURATION", "WAITING", "FOR"]
    [line] = [line for line in lines if "works.task0" in line]
    assert line.startswith("works1 ")
    assert line.endswith("its task, which runs")
    up.flyte("terminate", "works1")
    up.wait("works1")
    assert "works1" not in up.flyte("top")


def test_a_gate_waits_for_its_signal_and_a_launch_plan_for_its_execution(up, channel) -> None:
    up.register("waits", "sleep 30")
    up.launch("waits", "waits1")
    execution = WorkflowExecutionIdentifier(name="waits1", **WHERE)
    identifier = SignalIdentifier(signal_id="approved", execution_id=execution)
    SignalServiceStub(channel).GetOrCreateSignal(
        SignalGetOrCreateRequest(id=identifier, type=LiteralType(simple=BOOLEAN))
    )
    up.stub.CreateNodeEvent(running("gate", execution))
    launching = running("launching", execution)
    launching.event.workflow_node_metadata.execution_id.CopyFrom(execution)  # it need not be another one
    up.stub.CreateNodeEvent(launching)
    rows = {row["node"]: row for row in json.loads(up.flyte("top", "-o", "json")) if row["execution"] == "waits1"}
    assert rows["gate"]["waiting_for"] == "signal approved"
    assert rows["launching"]["waiting_for"] == "execution waits1"
    up.flyte("terminate", "waits1")


def running(node: str, execution: WorkflowExecutionIdentifier) -> NodeExecutionEventRequest:
    """The report of a node that has begun, as a data plane sends it."""
    request = NodeExecutionEventRequest(request_id="r")
    event = request.event
    event.id.CopyFrom(NodeExecutionIdentifier(node_id=node, execution_id=execution))
    event.phase, event.event_version, event.spec_node_id = NodeExecution.RUNNING, 1, node
    now = Timestamp()
    now.GetCurrentTime()
    event.occurred_at.CopyFrom(now)
    return request


def test_an_attempt_that_has_not_begun_says_why() -> None:
    attempt = TaskExecution()
    attempt.closure.phase = TaskPhases.WAITING_FOR_RESOURCES
    attempt.closure.reason = "no node has 4 CPUs"
    attempt.id.retry_attempt = 2
    assert attempt_text(attempt) == "attempt 2: waiting for resources: no node has 4 CPUs"


def test_an_array_says_how_many_of_its_elements_have_ended() -> None:
    attempt = TaskExecution()
    attempt.closure.phase = TaskPhases.RUNNING
    for index, phase in enumerate((TaskPhases.SUCCEEDED, TaskPhases.RUNNING, TaskPhases.FAILED)):
        attempt.closure.metadata.external_resources.add(index=index, phase=phase)
    assert attempt_text(attempt) == "its elements, of which 2 of 3 have ended"


def test_on_a_terminal_it_goes_on_until_ctrl_c(up) -> None:
    up.register("shown", "sleep 30")
    up.launch("shown", "shown1")
    terminal, stdout = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flyte_cli", "top", "--interval", "0.2"],
        env={**os.environ, "FLYTECTL_CONFIG": str(up.server.data / "config.yaml"), "TERM": "xterm", "COLUMNS": "120"},
        stdout=stdout,
        stderr=subprocess.PIPE,
    )
    os.close(stdout)
    seen, deadline = b"", time.monotonic() + 30
    while seen.count(b"shown1") < 6:
        assert time.monotonic() < deadline, seen[-2000:]
        seen += os.read(terminal, 1 << 16)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    os.close(terminal)
    up.flyte("terminate", "shown1")


def test_time_is_summed_up_for_each_node_and_attempt(up) -> None:
    up.register("took", "sleep 1.2")
    up.wait(up.launch("took", "took1"))
    total = json.loads(up.flyte("metrics", "dump", "took1", "-o", "json"))
    assert (total["entity"], set(total["operations"])) == ("took1", {"WORKFLOW_SETUP", "WORKFLOW_TEARDOWN"})
    [node] = [part for part in total["parts"] if part["entity"] == "took1/n0"]
    [attempt] = node["parts"]
    assert attempt["entity"] == "took1/n0/0"
    assert 1.0 <= attempt["seconds"] <= node["seconds"] <= total["seconds"]
    heading, first, *_ = up.flyte("metrics", "dump", "took1").splitlines()
    assert heading.split() == ["ENTITY", "SECONDS", "OF", "WHICH"]
    assert first.startswith("took1 ")
    assert json.loads(up.flyte("metrics", "dump", "took1", "--depth", "0", "-o", "json"))["parts"] == []


def test_every_span_is_explained(up, broken) -> None:
    rows = json.loads(up.flyte("metrics", "explain", broken, "-o", "json"))
    assert rows[0]["operation"] == "WORKFLOW_SETUP"
    assert {row["entity"] for row in rows} >= {"broken", "broken/n0", "broken/n1", "broken/n1/0"}
    assert all(row["start"] and row["end"] and row["seconds"] >= 0 for row in rows)
    table = up.flyte("metrics", "explain", f"ex:flytesnacks:development:{broken}").splitlines()
    assert table[0].split() == ["OPERATION", "START", "END", "SECONDS", "ENTITY"]
    assert len(table) == len(rows) + 1
    assert "nosuch" in up.flyte("metrics", "explain", "nosuch", code=1)
