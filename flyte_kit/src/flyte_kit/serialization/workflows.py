"""Workflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.core.workflow_pb2 import WorkflowTemplate

from flyte_kit.core.condition import BranchNode
from flyte_kit.core.constants import DEFAULT_FAILURE_NODE_ID
from flyte_kit.core.node import Node
from flyte_kit.core.reference_workflow import ReferenceWorkflow
from flyte_kit.core.workflow import WorkflowBase
from flyte_kit.serialization.nodes import node_message
from flyte_kit.serialization.scope import Scope


def workflow_spec(scope: Scope, workflow: WorkflowBase) -> WorkflowSpec:
    """Return a workflow as it is registered, with all workflows that are parts of it.

    :raises ValueError: if a node has the id that is kept for the failure handler, or a part is a mere reference
    """
    template = WorkflowTemplate(
        id=scope.identifier(ResourceType.WORKFLOW, workflow.name),
        metadata=workflow.workflow_metadata.message(),
        metadata_defaults=workflow.workflow_metadata_defaults.message(),
        interface=workflow.interface,
    )
    parts: dict[str, WorkflowTemplate] = {}
    for node in workflow.nodes:
        if node.id == DEFAULT_FAILURE_NODE_ID:
            raise ValueError(f"Node {node.id} is reserved for the failure node")
        template.nodes.append(node_message(scope, node))
        for part in _parts(node):
            _add_part(scope, parts, part)
    template.outputs.extend(binding.message() for binding in workflow.output_bindings)
    if workflow.failure_node is not None:
        template.failure_node.CopyFrom(node_message(scope, workflow.failure_node))
        if isinstance(workflow.failure_node.flyte_entity, WorkflowBase):
            _add_part(scope, parts, workflow.failure_node.flyte_entity)
    spec = WorkflowSpec(template=template, sub_workflows=[parts[name] for name in sorted(parts, key=_order)])
    if workflow.docs is not None:
        spec.description.CopyFrom(workflow.docs.message())
    return spec


def _order(name: str) -> str:
    # Upstream's order is that of the message's text, where a name is followed by a quotation mark.
    return name + '"'


def _parts(node: Node) -> Iterator[WorkflowBase]:
    entity = node.flyte_entity
    if isinstance(entity, ReferenceWorkflow):
        raise ValueError("Reference sub-workflows are currently unsupported. Use reference launch plans instead.")  # noqa: TRY004 - as flytekit raises
    if isinstance(entity, WorkflowBase):
        yield entity
    if isinstance(entity, BranchNode):
        for case in entity.cases:
            if case.output_node is not None:
                yield from _parts(case.output_node)


def _add_part(scope: Scope, parts: dict[str, WorkflowTemplate], workflow: Any) -> None:
    spec: WorkflowSpec = scope.add(workflow)
    for template in [spec.template, *spec.sub_workflows]:
        parts[template.id.name] = template
