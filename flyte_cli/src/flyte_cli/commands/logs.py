"""`flyte logs`: what tasks wrote, attempt by attempt."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import click
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.task_execution_pb2 import TaskExecution
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.connection import CALL_SECONDS, admin, domain_option, project_option
from flyte_cli.node_tree import attempts, node_executions
from flyte_cli.terminal_phases import TERMINAL
from flyte_core.errors import NotFound

POLL_SECONDS = 0.5


@click.command()
@click.argument("execution")
@click.argument("node", default="")
@click.option("-f", "--follow", is_flag=True, help="Go on until the execution ends.")
@project_option
@domain_option
def command(execution: str, node: str, follow: bool, project: str, domain: str) -> None:
    """Print the logs of EXECUTION, of one NODE where given, oldest attempt first.

    Blank lines before the first line of a log are left out: flytekit writes one ahead of every task.
    """
    wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=execution)
    printer = LogPrinter()
    with admin() as stub:
        while True:
            ended = _phase(stub, wanted) in TERMINAL
            for attempt in _attempts(stub, wanted, node):
                printer.print_new(attempt)
            if ended or not follow:
                break
            time.sleep(POLL_SECONDS)
    printer.end_line()
    if not printer.has_printed:
        where = f"{execution} {node}".strip()
        raise NotFound(f"{where}: no task of it has a log yet" if not ended else f"{where}: it has no logs")


def _phase(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier) -> int:
    phase: int = stub.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=CALL_SECONDS).closure.phase
    return phase


def _attempts(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, node: str) -> Iterator[TaskExecution]:
    if node:
        yield from attempts(stub, NodeExecutionIdentifier(node_id=node, execution_id=wanted))
        return
    for row in node_executions(stub, wanted):
        yield from attempts(stub, row.id)


class LogPrinter:
    """Prints what is new in logs, each under a heading that begins a line."""

    def __init__(self) -> None:
        self._read: dict[str, int] = {}
        self._texts: set[str] = set()
        self._last = ""
        self._ends_line = True

    @property
    def has_printed(self) -> bool:
        """Whether there was any log, an empty one too."""
        return bool(self._read)

    def print_new(self, attempt: TaskExecution) -> None:
        """Print what the logs of one attempt hold beyond what has been printed."""
        for log in attempt.closure.logs:
            start = self._read.get(log.uri, 0)
            text = _fetch(log.uri, start)
            if log.uri not in self._read or (text and self._last != log.uri):
                self._heading(attempt, log.uri)
            self._read[log.uri] = start + len(text)
            if log.uri not in self._texts:
                text = text.lstrip(b"\r\n")
            if text:
                self._texts.add(log.uri)
                self._write(text)

    def end_line(self) -> None:
        """Begin a new line, unless this is the beginning of one."""
        if not self._ends_line:
            self._write(b"\n")

    def _heading(self, attempt: TaskExecution, uri: str) -> None:
        self.end_line()
        self._last = uri
        click.secho(f"==> {attempt.id.node_execution_id.node_id} attempt {attempt.id.retry_attempt} <==", bold=True)

    def _write(self, text: bytes) -> None:
        self._ends_line = text.endswith(b"\n")
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()


def _fetch(uri: str, start: int) -> bytes:
    """Return a log's bytes from ``start`` on; a page that is not ours is named instead of read."""
    request = urllib.request.Request(uri, headers={"Range": f"bytes={start}-"})
    if not uri.startswith("http"):
        return f"(kept at {uri})\n".encode() if not start else b""
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
            body: bytes = answer.read()
            return body if answer.status == 206 else body[start:]
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return b""
        return f"(log {uri}: HTTP {error.code})\n".encode() if not start else b""
    except urllib.error.URLError as error:
        return f"(log {uri}: {error.reason})\n".encode() if not start else b""
