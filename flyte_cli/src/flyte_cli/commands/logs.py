"""`flyte logs`: what tasks wrote, attempt by attempt."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import click
from flyteidl.admin.common_pb2 import Sort
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.node_execution_pb2 import NodeExecutionListRequest
from flyteidl.admin.task_execution_pb2 import TaskExecution, TaskExecutionListRequest
from flyteidl.core.execution_pb2 import WorkflowExecution
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.connection import CALL_SECONDS, admin, domain_option, project_option
from flyte_core.errors import NotFound

POLL_SECONDS = 0.5
TERMINAL = frozenset(
    {WorkflowExecution.SUCCEEDED, WorkflowExecution.FAILED, WorkflowExecution.ABORTED, WorkflowExecution.TIMED_OUT}
)


@click.command()
@click.argument("execution")
@click.argument("node", default="")
@click.option("-f", "--follow", is_flag=True, help="Go on until the execution ends.")
@project_option
@domain_option
def command(execution: str, node: str, follow: bool, project: str, domain: str) -> None:
    """Print the logs of EXECUTION, of one NODE where given, oldest attempt first."""
    wanted = WorkflowExecutionIdentifier(project=project, domain=domain, name=execution)
    shown: dict[str, int] = {}
    with admin() as stub:
        while True:
            ended = (
                stub.GetExecution(WorkflowExecutionGetRequest(id=wanted), timeout=CALL_SECONDS).closure.phase
                in TERMINAL
            )
            for attempt in _attempts(stub, wanted, node):
                _print_new(attempt, shown)
            if ended or not follow:
                break
            time.sleep(POLL_SECONDS)
    if not shown:
        where = f"{execution} {node}".strip()
        raise NotFound(f"{where}: no task of it has a log yet" if not ended else f"{where}: it has no logs")


def _attempts(stub: AdminServiceStub, wanted: WorkflowExecutionIdentifier, node: str) -> Iterator[TaskExecution]:
    oldest_first = Sort(key="created_at", direction=Sort.ASCENDING)
    if node:
        names = [node]
    else:
        request = NodeExecutionListRequest(workflow_execution_id=wanted, limit=10_000, sort_by=oldest_first)
        names = [row.id.node_id for row in stub.ListNodeExecutions(request, timeout=CALL_SECONDS).node_executions]
    for name in names:
        parent = NodeExecutionIdentifier(node_id=name, execution_id=wanted)
        listing = TaskExecutionListRequest(node_execution_id=parent, limit=100, sort_by=oldest_first)
        yield from stub.ListTaskExecutions(listing, timeout=CALL_SECONDS).task_executions


def _print_new(attempt: TaskExecution, shown: dict[str, int]) -> None:
    """Print what is new in the logs of one attempt, under a heading."""
    for log in attempt.closure.logs:
        start = shown.get(log.uri, -1)
        text = _fetch(log.uri, max(start, 0))
        if start < 0:
            click.secho(f"==> {attempt.id.node_execution_id.node_id} attempt {attempt.id.retry_attempt} <==", bold=True)
        shown[log.uri] = max(start, 0) + len(text)
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
