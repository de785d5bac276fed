"""What the nodes of executions are called by those who wrote them."""

from __future__ import annotations

from typing import Any

import grpc
from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.node_execution_pb2 import NodeExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.connection import CALL_SECONDS


class NodeNames:
    """Names by the node's id within its workflow; read once for every workflow, nothing where it cannot be read."""

    def __init__(self, stub: AdminServiceStub) -> None:
        self._stub = stub
        self._known: dict[str, dict[str, str]] = {}

    def of(self, row: NodeExecution) -> str:
        """Return the name of a node; empty where its workflow does not tell (of dynamic tasks)."""
        execution = row.id.execution_id
        if execution.name not in self._known:
            self._known[execution.name] = self._read(execution)
        return self._known[execution.name].get(row.metadata.spec_node_id or row.id.node_id, "")

    def _read(self, execution: WorkflowExecutionIdentifier) -> dict[str, str]:
        try:
            found = self._stub.GetExecution(WorkflowExecutionGetRequest(id=execution), timeout=CALL_SECONDS)
            if not found.closure.workflow_id.name:
                return {}
            request = ObjectGetRequest(id=found.closure.workflow_id)
            compiled = self._stub.GetWorkflow(request, timeout=CALL_SECONDS).closure.compiled_workflow
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return {}
            raise
        names: dict[str, str] = {}
        for workflow in (*compiled.sub_workflows, compiled.primary):  # the outermost has the last word
            for node in workflow.template.nodes:
                _add(names, node)
        return names


def _add(names: dict[str, str], node: Any) -> None:
    names[node.id] = node.metadata.name or _target(node)
    if node.HasField("branch_node"):
        blocks = node.branch_node.if_else
        for case in (blocks.case, *blocks.other):
            _add(names, case.then_node)
        if blocks.HasField("else_node"):
            _add(names, blocks.else_node)


def _target(node: Any) -> str:
    name = str(node.task_node.reference_id.name or node.workflow_node.launchplan_ref.name)
    return name.rsplit(".", 1)[-1]
