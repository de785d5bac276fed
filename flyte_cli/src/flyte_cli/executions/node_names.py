"""What the nodes of executions are called by those who wrote them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import grpc
from flyteidl.admin.common_pb2 import ObjectGetRequest
from flyteidl.admin.execution_pb2 import WorkflowExecutionGetRequest
from flyteidl.admin.node_execution_pb2 import GetDynamicNodeWorkflowRequest, NodeExecution
from flyteidl.core.compiler_pb2 import CompiledWorkflowClosure
from flyteidl.core.identifier_pb2 import NodeExecutionIdentifier, WorkflowExecutionIdentifier
from flyteidl.core.workflow_pb2 import Node, WorkflowTemplate
from flyteidl.service.admin_pb2_grpc import AdminServiceStub

from flyte_cli.client.connection import CALL_SECONDS

_MAP = re.compile(r"(?:.*\.)?map_(.+)_[0-9a-f]{32}-arraynode")
"""Name of an array node as SDKs make it: a hash tells apart maps of one task."""

Nodes = Mapping[str, Node]
"""Nodes of one workflow by their ids, those within its branches too."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A workflow with its sub-workflows, by name and version."""

    top: Nodes = field(default_factory=dict)
    inner: Mapping[tuple[str, str], Nodes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Place:
    """A node, the nodes of the workflow that it is in, and all that was compiled with that."""

    node: Node
    nodes: Nodes
    compiled: _Compiled


class NodeNames:
    """Names by the node's id; each workflow is read once, and nothing is known where it cannot be read.

    Nodes within others are found where those around them have been asked for before.
    """

    def __init__(self, stub: AdminServiceStub) -> None:
        self._stub = stub
        self._compiled: dict[tuple[str, str], _Compiled] = {}
        self._places: dict[tuple[str, str], _Place | None] = {}

    def of(self, row: NodeExecution) -> str:
        """Return the name of a node; empty where its workflow does not tell."""
        key = (row.id.execution_id.name, row.id.node_id)
        if key not in self._places:
            self._places[key] = self._find(row)
        place = self._places[key]
        return _name(place.node) if place else ""

    def _find(self, row: NodeExecution) -> _Place | None:
        execution, unique = row.id.execution_id, row.id.node_id
        spec = row.metadata.spec_node_id or unique
        if unique == spec:
            compiled = self._once((execution.name, ""), lambda: self._of_execution(execution))
            return _place(spec, compiled.top, compiled)
        around = re.fullmatch(rf"(.+)-\d+-{re.escape(spec)}", unique)
        parent = self._places.get((execution.name, around[1])) if around else None
        if around is None or parent is None:
            return None
        match parent.node.WhichOneof("target"):
            case "workflow_node":
                reference = parent.node.workflow_node.sub_workflow_ref
                inner = parent.compiled.inner.get((reference.name, reference.version), {})
                return _place(spec, inner, parent.compiled)
            case "task_node":
                outer = NodeExecutionIdentifier(execution_id=execution, node_id=around[1])
                compiled = self._once((execution.name, around[1]), lambda: self._of_dynamic(outer))
                return _place(spec, compiled.top, compiled)
            case _:
                return _place(spec, parent.nodes, parent.compiled)

    def _once(self, key: tuple[str, str], read: Callable[[], CompiledWorkflowClosure | None]) -> _Compiled:
        if key not in self._compiled:
            try:
                found = read()
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
                found = None
            self._compiled[key] = _read(found) if found is not None else _Compiled()
        return self._compiled[key]

    def _of_execution(self, execution: WorkflowExecutionIdentifier) -> CompiledWorkflowClosure | None:
        found = self._stub.GetExecution(WorkflowExecutionGetRequest(id=execution), timeout=CALL_SECONDS)
        if not found.closure.workflow_id.name:
            return None
        workflow = self._stub.GetWorkflow(ObjectGetRequest(id=found.closure.workflow_id), timeout=CALL_SECONDS)
        compiled: CompiledWorkflowClosure = workflow.closure.compiled_workflow
        return compiled

    def _of_dynamic(self, node: NodeExecutionIdentifier) -> CompiledWorkflowClosure:
        request = GetDynamicNodeWorkflowRequest(id=node)
        compiled: CompiledWorkflowClosure
        compiled = self._stub.GetDynamicNodeWorkflow(request, timeout=CALL_SECONDS).compiled_workflow
        return compiled


def _place(spec: str, nodes: Nodes, compiled: _Compiled) -> _Place | None:
    return _Place(nodes[spec], nodes, compiled) if spec in nodes else None


def _read(closure: CompiledWorkflowClosure) -> _Compiled:
    templates = [workflow.template for workflow in closure.sub_workflows]
    inner = {(template.id.name, template.id.version): _nodes(template) for template in templates}
    return _Compiled(_nodes(closure.primary.template), inner)


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


def _name(node: Node) -> str:
    """Return what a node is called: by its author, else its task; of a map ``map`` and the task."""
    name = str(node.metadata.name or node.task_node.reference_id.name or node.workflow_node.launchplan_ref.name)
    mapped = _MAP.fullmatch(name)
    return f"map {mapped[1]}" if mapped else name.rsplit(".", 1)[-1]
