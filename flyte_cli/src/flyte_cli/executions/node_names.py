"""What the nodes of executions are called by those who wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import grpc
from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.node_execution_pb2 import NodeExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.workflow_pb2 import Node, WorkflowTemplate
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS

Nodes = Mapping[str, Node]
"""Nodes of one workflow by their ids, those within its branches too."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A workflow with its sub-workflows, by name and version."""

    top: Nodes = field(default_factory=dict)
    inner: Mapping[tuple[str, str], Nodes] = field(default_factory=dict)

    def find(self, unique_id: str, spec_id: str) -> tuple[Node, Nodes] | None:
        """Return a node, and the nodes of the workflow that it is in; None of one that no workflow has (of dynamics).

        :param unique_id: within the execution: ``n1-0-n0`` is ``n0`` within ``n1``
        """
        if unique_id == spec_id:
            return (self.top[spec_id], self.top) if spec_id in self.top else None
        around = re.fullmatch(rf"(.+)-\d+-{re.escape(spec_id)}", unique_id)
        parent = next(filter(None, map(self._parent, _readings(around[1]))), None) if around else None
        if parent is None:
            return None
        node, nodes = parent
        if node.WhichOneof("target") == "workflow_node":
            reference = node.workflow_node.sub_workflow_ref
            nodes = self.inner.get((reference.name, reference.version), {})
        return (nodes[spec_id], nodes) if spec_id in nodes else None

    def _parent(self, reading: tuple[str, str]) -> tuple[Node, Nodes] | None:
        return self.find(*reading)


class NodeNames:
    """Names by the node's id; each workflow is read once, and nothing is known where it cannot be read."""

    def __init__(self, stub: AdminServiceStub) -> None:
        self._stub = stub
        self._known: dict[str, _Compiled] = {}

    def of(self, row: NodeExecution) -> str:
        """Return the name of a node; empty where its workflow does not tell (of dynamic tasks)."""
        execution = row.id.execution_id
        if execution.name not in self._known:
            self._known[execution.name] = self._read(execution)
        found = self._known[execution.name].find(row.id.node_id, row.metadata.spec_node_id or row.id.node_id)
        return found[0].metadata.name or _target(found[0]) if found else ""

    def _read(self, execution: WorkflowExecutionIdentifier) -> _Compiled:
        try:
            found = self._stub.GetExecution(WorkflowExecutionGetRequest(id=execution), timeout=CALL_SECONDS)
            if not found.closure.workflow_id.name:
                return _Compiled()
            request = ObjectGetRequest(id=found.closure.workflow_id)
            compiled = self._stub.GetWorkflow(request, timeout=CALL_SECONDS).closure.compiled_workflow
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return _Compiled()
            raise
        templates = [workflow.template for workflow in compiled.sub_workflows]
        inner = {(template.id.name, template.id.version): _nodes(template) for template in templates}
        return _Compiled(_nodes(compiled.primary.template), inner)


def _readings(unique_id: str) -> Iterator[tuple[str, str]]:
    """Yield a unique id with each id that its node may have in its workflow: the whole, and what follows a number."""
    yield unique_id, unique_id
    for separator in re.finditer(r"-\d+-", unique_id):
        yield unique_id, unique_id[separator.end() :]


def _nodes(template: WorkflowTemplate) -> Nodes:
    return {node.id: node for top in template.nodes for node in _with_cases(top)}


def _with_cases(node: Node) -> Iterator[Node]:
    yield node
    if node.HasField("branch_node"):
        blocks = node.branch_node.if_else
        for case in (blocks.case, *blocks.other):
            yield from _with_cases(case.then_node)
        if blocks.HasField("else_node"):
            yield from _with_cases(blocks.else_node)


def _target(node: Node) -> str:
    name = str(node.task_node.reference_id.name or node.workflow_node.launchplan_ref.name)
    return name.rsplit(".", 1)[-1]
