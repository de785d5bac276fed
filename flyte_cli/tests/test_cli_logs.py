"""`flyte logs` beyond one task: nested nodes, choices, and logs that cannot be read yet."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flyteidl.admin.event_pb2 import NodeExecutionEventRequest
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.execution_pb2 import NodeExecution
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from google.protobuf.timestamp_pb2 import Timestamp

from flyte_cli.executions.log_streams import LogStream, log_sources
from registering import WHERE


def test_tasks_of_sub_workflows_are_among_the_logs(up, nested) -> None:
    both = up.flyte("logs", nested)
    assert "==> n0-0-n0 attempt 0 <==\nwrote 5\n" in both
    assert "==> n1 attempt 0 <==\nmade 5\n" in both


def test_a_node_stands_for_all_below_it(up, nested) -> None:
    assert up.flyte("logs", nested, "--node", "n0") == "==> n0-0-n0 attempt 0 <==\nwrote 5\n"
    assert up.flyte("logs", nested, "n1", "--node", "n0").count("==>") == 2


def test_one_attempt_and_the_last_lines(up, tmp_path) -> None:
    script = f"echo one; echo two; echo three; if mkdir {tmp_path / 'mark'} 2>&1; then exit 1; fi"
    up.register("twice2", script, retries=1)
    up.wait(up.launch("twice2", "twice2a"))
    assert up.flyte("logs", "twice2a", "--attempt", "0") == "==> n0 attempt 0 <==\none\ntwo\nthree\n"
    assert up.flyte("logs", "twice2a", "--attempt", "0", "--tail", "2") == "==> n0 attempt 0 <==\ntwo\nthree\n"
    assert up.flyte("logs", "twice2a", "--since-lines", "0", "--attempt", "0") == "==> n0 attempt 0 <==\n"
    assert "`flyte get nodes twice2a`" in up.flyte("logs", "twice2a", "n9", code=1)


def test_logs_as_data(up, nested) -> None:
    rows = json.loads(up.flyte("logs", nested, "-o", "json"))
    assert [(row["node"], row["attempt"], row["text"]) for row in rows] == [
        ("n0-0-n0", 0, "wrote 5\n"),
        ("n1", 0, "made 5\n"),
    ]
    lines = up.flyte("logs", nested, "-f", "-o", "json").splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["wrote 5\n", "made 5\n"]


def test_an_execution_that_a_node_has_launched_is_followed(up) -> None:
    up.register("child", "echo from the child")
    up.wait(up.launch("child", "child1"))
    up.register("parent", "echo from the parent; sleep 3")
    up.launch("parent", "parent1")
    up.stub.CreateNodeEvent(launching_event("parent1", "child1"))
    printed = up.flyte("logs", "-f", "parent1")
    assert "==> n0 attempt 0 <==\nfrom the parent\n" in printed
    assert "==> child1 n0 attempt 0 <==\nfrom the child\n" in printed
    tree = up.flyte("describe", "execution", "parent1")
    assert "ex:flytesnacks:development:child1" in tree


def launching_event(parent: str, child: str) -> NodeExecutionEventRequest:
    """The report of a launch plan node, as a data plane sends it."""
    execution = WorkflowExecutionIdentifier(name=parent, **WHERE)
    request = NodeExecutionEventRequest(request_id="r")
    event = request.event
    event.id.CopyFrom(NodeExecutionIdentifier(node_id="launching", execution_id=execution))
    event.phase = NodeExecution.RUNNING
    event.event_version = 1
    event.spec_node_id = "launching"
    now = Timestamp()
    now.GetCurrentTime()
    event.occurred_at.CopyFrom(now)
    event.workflow_node_metadata.execution_id.CopyFrom(WorkflowExecutionIdentifier(name=child, **WHERE))
    return request


def test_elements_of_an_array_have_logs_of_their_own() -> None:
    row = TaskExecution()
    row.id.node_execution_id.node_id = "n0"
    row.closure.logs.add(uri="http://x/all", name="all")
    part = row.closure.metadata.external_resources.add(index=3, retry_attempt=1)
    part.logs.add(uri="http://x/3", name="one")
    found = [(source.element, source.attempt, source.uri) for source in log_sources(row)]
    assert found == [("", 0, "http://x/all"), ("3", 1, "http://x/3")]


class Page(BaseHTTPRequestHandler):
    """A log server: ``missing`` says 404; ``whole`` does not know ranges."""

    text = b""
    missing = False
    whole = False

    def do_GET(self) -> None:
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if self.missing:
            self.send_error(404)
            return
        if start >= len(self.text) and not self.whole:
            self.send_error(416)
            return
        body = self.text if self.whole else self.text[start:]
        self.send_response(200 if self.whole else 206)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[tuple[type[Page], str]]:
    kind = type("OnePage", (Page,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kind, f"http://127.0.0.1:{server.server_port}/log"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("whole", [False, True], ids=["with ranges", "without ranges"])
def test_a_log_is_read_once_from_its_first_byte(page, whole) -> None:
    kind, uri = page
    kind.whole, kind.missing = whole, True
    stream = LogStream(uri)
    assert list(stream.new()) == []
    assert "404" in stream.problem
    kind.missing, kind.text = False, b"one\n" * 50_000
    assert b"".join(stream.new()) == kind.text
    assert stream.problem == ""
    assert list(stream.new()) in ([], [b""] * 4)
    kind.text += b"two\n"
    assert b"".join(stream.new()) == b"two\n"


def test_the_end_of_a_long_log(page) -> None:
    kind, uri = page
    kind.text = b"".join(b"%d\n" % number for number in range(60_000)) + b"unended"
    stream = LogStream(uri, 3)
    assert b"".join(stream.new()) == b"59998\n59999\nunended"
    kind.text += b" no more\n"
    assert b"".join(stream.new()) == b" no more\n"


def test_no_proxy_stands_between_this_machine_and_itself(up, nested) -> None:
    proxies = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    assert "wrote 5" in up.flyte("logs", nested, **proxies)


def test_a_log_that_is_kept_elsewhere_says_where() -> None:
    stream = LogStream("s3://bucket/log")
    assert list(stream.new()) == []
    assert "s3://bucket/log" in stream.problem
