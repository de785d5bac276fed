"""Reads the nodes of an execution, with those that nodes have started themselves."""

from __future__ import annotations

from collections.abc import Iterator

from flyteidl.admin.common_pb2 import Sort
from flyteidl.admin.node_execution_pb2 import NodeExecution, NodeExecutionGetRequest, NodeExecutionListRequest
from flyteidl.admin.task_execution_pb2 import TaskExecution, TaskExecutionListRequest
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.connection import CALL_SECONDS

OLDEST_FIRST = Sort(key="created_at", direction=Sort.ASCENDING)
PAGE = 100


def node_executions(
    stub: AdminServiceStub, execution: WorkflowExecutionIdentifier, parent: str = ""
) -> Iterator[NodeExecution]:
    """Yield all nodes in the order in which they started, each before those below it (of a subworkflow, …)."""
    request = NodeExecutionListRequest(
        workflow_execution_id=execution, unique_parent_id=parent, limit=PAGE, sort_by=OLDEST_FIRST
    )
    while True:
        page = stub.ListNodeExecutions(request, timeout=CALL_SECONDS)
        for row in page.node_executions:
            yield row
            if row.metadata.is_parent_node:
                yield from node_executions(stub, execution, row.id.node_id)
        if not page.token:
            return
        request.token = page.token


def with_whole_error(stub: AdminServiceStub, row: NodeExecution) -> NodeExecution:
    """Return the node as it is when read alone: lists cut error messages at 100 bytes."""
    if not row.closure.HasField("error"):
        return row
    whole: NodeExecution = stub.GetNodeExecution(NodeExecutionGetRequest(id=row.id), timeout=CALL_SECONDS)
    return whole


def attempts(stub: AdminServiceStub, node: NodeExecutionIdentifier) -> Iterator[TaskExecution]:
    """Yield the attempts of one node, oldest first."""
    request = TaskExecutionListRequest(node_execution_id=node, limit=PAGE, sort_by=OLDEST_FIRST)
    while True:
        page = stub.ListTaskExecutions(request, timeout=CALL_SECONDS)
        yield from page.task_executions
        if not page.token:
            return
        request.token = page.token


def last_line(message: str) -> str:
    """Return the last line that holds a word: of a Python traceback the exception."""
    lines = [line.strip() for line in message.splitlines() if any(map(str.isalnum, line))]
    return lines[-1] if lines else ""
