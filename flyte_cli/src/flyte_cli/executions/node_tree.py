"""Reads the nodes of an execution, with those that nodes have started themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flyteidl.admin.common_pb2 import Sort
from flyteidl.admin.node_execution_pb2 import NodeExecution, NodeExecutionGetRequest, NodeExecutionListRequest
from flyteidl.admin.task_execution_pb2 import TaskExecution, TaskExecutionListRequest
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS
from flyte_cli.client.paging import pages

OLDEST_FIRST = Sort(key="created_at", direction=Sort.ASCENDING)
MOST_LAUNCHED = 5
"""Executions within executions that are followed, one below the other."""


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A node where it stands in the tree.

    :ivar above: the nodes above it, outermost first; of an execution that one of them has launched, too
    """

    row: NodeExecution
    above: tuple[NodeExecution, ...] = ()

    @property
    def depth(self) -> int:
        """How many nodes it is below: 0 for those of the execution that was asked for."""
        return len(self.above)

    @property
    def is_inner(self) -> bool:
        """Whether it is below another node of its own execution: then its id within its workflow tells little."""
        return bool(self.above) and self.above[-1].id.execution_id == self.row.id.execution_id

    @property
    def path(self) -> tuple[tuple[str, str], ...]:
        """Execution and id of the nodes above it, and of itself."""
        return tuple((each.id.execution_id.name, each.id.node_id) for each in (*self.above, self.row))


def node_executions(
    stub: AdminServiceStub, execution: WorkflowExecutionIdentifier, parent: str = "", filters: str = ""
) -> Iterator[NodeExecution]:
    """Yield all nodes in the order in which they started, each before those below it (of a subworkflow, …).

    :param filters: in the control plane's language; what is below a node is found whether the node fits or not
    """
    fitting = None
    if filters:
        fitting = {row.id.node_id for row in _level(stub, execution, parent, filters)}
    for row in _level(stub, execution, parent):
        if fitting is None or row.id.node_id in fitting:
            yield row
        if row.metadata.is_parent_node:
            yield from node_executions(stub, execution, row.id.node_id, filters)


def walk(
    stub: AdminServiceStub,
    execution: WorkflowExecutionIdentifier,
    above: tuple[NodeExecution, ...] = (),
    *,
    filters: str = "",
) -> Iterator[TreeNode]:
    """Yield all nodes like :func:`node_executions`, and those of the executions that launch plan nodes have launched.

    :param above: where the first level stands
    :param filters: in the control plane's language; what is below a node that does not fit is left out
    """
    parent = above[-1].id.node_id if above and above[-1].id.execution_id == execution else ""
    for row in _level(stub, execution, parent, filters):
        node = TreeNode(row, above)
        yield node
        if row.metadata.is_parent_node:
            yield from walk(stub, execution, (*above, row), filters=filters)
        child = row.closure.workflow_node_metadata.executionId
        launched = sum(1 for each in above if each.closure.workflow_node_metadata.executionId.name)
        if child.name and launched < MOST_LAUNCHED:
            yield from walk(stub, child, (*above, row), filters=filters)


def _level(
    stub: AdminServiceStub, execution: WorkflowExecutionIdentifier, parent: str, filters: str = ""
) -> Iterator[NodeExecution]:
    request = NodeExecutionListRequest(
        workflow_execution_id=execution, unique_parent_id=parent, filters=filters, sort_by=OLDEST_FIRST
    )
    return pages(stub.ListNodeExecutions, request, "node_executions")


def with_whole_error(stub: AdminServiceStub, row: NodeExecution) -> NodeExecution:
    """Return the node as it is when read alone: lists cut error messages at 100 bytes."""
    if not row.closure.HasField("error"):
        return row
    whole: NodeExecution = stub.GetNodeExecution(NodeExecutionGetRequest(id=row.id), timeout=CALL_SECONDS)
    return whole


def attempts(stub: AdminServiceStub, node: NodeExecutionIdentifier, filters: str = "") -> Iterator[TaskExecution]:
    """Yield the attempts of one node, oldest first."""
    request = TaskExecutionListRequest(node_execution_id=node, filters=filters, sort_by=OLDEST_FIRST)
    return pages(stub.ListTaskExecutions, request, "task_executions")


def last_line(message: str) -> str:
    """Return the last line that holds a word: of a Python traceback the exception."""
    lines = [line.strip() for line in message.splitlines() if any(map(str.isalnum, line))]
    return lines[-1] if lines else ""
