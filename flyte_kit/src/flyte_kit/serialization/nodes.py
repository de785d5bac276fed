"""Nodes, by what they call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.tasks_pb2 import Container, K8sObjectMetadata, K8sPod
from flyteidl.core.types_pb2 import Error
from flyteidl.core.workflow_pb2 import Alias, IfBlock, TaskNode, TaskNodeOverrides
from flyteidl.core.workflow_pb2 import ArrayNode as ArrayNodeMessage
from flyteidl.core.workflow_pb2 import BranchNode as BranchNodeMessage
from flyteidl.core.workflow_pb2 import GateNode as GateNodeMessage
from flyteidl.core.workflow_pb2 import Node as NodeMessage

from flyte_kit.core.array_node import ArrayNode
from flyte_kit.core.array_node_map_task import ArrayNodeMapTask
from flyte_kit.core.base_task import PythonTask
from flyte_kit.core.condition import BranchNode, Case
from flyte_kit.core.constants import GLOBAL_INPUT_NODE_ID
from flyte_kit.core.gate import Gate
from flyte_kit.core.launch_plan import LaunchPlan
from flyte_kit.core.node import Node
from flyte_kit.core.pod_template import pod_spec_document
from flyte_kit.core.reference_entity import ReferenceEntity
from flyte_kit.core.workflow import WorkflowBase
from flyte_kit.serialization.scope import Scope
from flyte_kit.serialization.tasks import fast_prefix


def node_message(scope: Scope, node: Node) -> NodeMessage:
    """Return a node as it is registered.

    :raises ValueError: if it calls something that cannot be registered
    """
    for upstream in node.upstream_nodes:
        _add_entities(scope, upstream)
    result = NodeMessage(
        id=node.id,
        metadata=node.metadata,
        inputs=[binding.message() for binding in node.bindings],
        upstream_node_ids=[each.id for each in node.upstream_nodes if each.id != GLOBAL_INPUT_NODE_ID],
    )
    entity = node.flyte_entity
    for kind, fill in _KINDS:
        if isinstance(entity, kind):
            fill(scope, node, entity, result)
            return result
    if hasattr(entity, "registered_id"):
        _fill_reference(result, entity.registered_id)
        return result
    raise ValueError(f"Node contained non-serializable entity {entity}")


def _add_entities(scope: Scope, node: Node) -> None:
    # What an earlier node calls is registered before what this one calls, as upstream orders it.
    entity = node.flyte_entity
    if isinstance(entity, PythonTask | WorkflowBase | LaunchPlan | ReferenceEntity):
        scope.add(entity)


def _reference(scope: Scope, node: Node, entity: ReferenceEntity, result: NodeMessage) -> None:
    _fill_reference(result, scope.add(entity))


def _fill_reference(result: NodeMessage, identifier: Identifier) -> None:
    if identifier.resource_type == ResourceType.TASK:
        result.task_node.reference_id.CopyFrom(identifier)
    elif identifier.resource_type == ResourceType.WORKFLOW:
        result.workflow_node.sub_workflow_ref.CopyFrom(identifier)
    else:
        result.workflow_node.launchplan_ref.CopyFrom(identifier)


def _map_task(scope: Scope, node: Node, entity: ArrayNodeMapTask, result: NodeMessage) -> None:
    spec = scope.add(entity)
    inner = NodeMessage(
        id=entity.name,
        metadata=entity.sub_node_metadata,
        inputs=[binding.message() for binding in node.bindings],
        task_node=TaskNode(reference_id=spec.template.id, overrides=_overrides(scope, node, entity.build_container)),
    )
    result.array_node.CopyFrom(_array(entity, inner))
    result.array_node.is_original_sub_node_interface.value = False


def _array_node(scope: Scope, node: Node, entity: ArrayNode, result: NodeMessage) -> None:
    inner = NodeMessage(
        id=Node(entity.id, None, [], [], None).id,
        metadata=node.metadata,
        inputs=[binding.message() for binding in entity.bindings],
    )
    target = scope.add(entity.target)
    if isinstance(target, Identifier):
        _fill_reference(inner, target)
    else:
        inner.workflow_node.launchplan_ref.CopyFrom(target.id)
        fixed = entity.target.fixed_inputs.literals
        kept = [binding for binding in inner.inputs if binding.var not in fixed]
        del inner.inputs[:]
        inner.inputs.extend(kept)
    result.array_node.CopyFrom(_array(entity, inner))
    result.array_node.is_original_sub_node_interface.value = True
    result.array_node.data_mode = entity.data_mode


def _array(entity: Any, inner: NodeMessage) -> ArrayNodeMessage:
    message = ArrayNodeMessage(
        node=inner, execution_mode=entity.execution_mode, bound_inputs=sorted(entity.bound_inputs)
    )
    if entity.concurrency is not None:
        message.parallelism = entity.concurrency
    # The two are alternatives on the wire; where both are said, the ratio stands, as flytekit writes it.
    if entity.min_success_ratio is not None:
        message.min_success_ratio = entity.min_success_ratio
    elif entity.min_successes is not None:
        message.min_successes = entity.min_successes
    if entity.run_all_sub_nodes:
        message.run_all_sub_nodes = True
    return message


def _task(scope: Scope, node: Node, entity: PythonTask[Any], result: NodeMessage) -> None:
    spec = scope.add(entity)
    build = getattr(entity, "build_container", None)
    result.task_node.reference_id.CopyFrom(spec.template.id)
    result.task_node.overrides.CopyFrom(_overrides(scope, node, build))
    result.output_aliases.extend(Alias(var=var, alias=alias) for var, alias in node.aliases.items())


def _overrides(scope: Scope, node: Node, build: Callable[..., Container] | None) -> TaskNodeOverrides:
    overrides = TaskNodeOverrides(
        resources=node.resources,
        extended_resources=node.extended_resources,
        container_image=node.container_image or "",
    )
    template = node.pod_template
    if template is not None and build is not None:
        container = build(scope.settings)
        if scope.settings.should_fast_serialize():
            args = [*fast_prefix(scope.settings), *container.args]
            del container.args[:]
            container.args.extend(args)
        pod = K8sPod(primary_container_name=template.primary_container_name or "")
        pod.metadata.CopyFrom(K8sObjectMetadata(labels=template.labels, annotations=template.annotations))
        pod.pod_spec.update(pod_spec_document(template, container, scope.settings))
        overrides.pod_template.CopyFrom(pod)
    return overrides


def _workflow(scope: Scope, node: Node, entity: WorkflowBase, result: NodeMessage) -> None:
    result.workflow_node.sub_workflow_ref.CopyFrom(scope.add(entity).template.id)


def _launch_plan(scope: Scope, node: Node, entity: LaunchPlan, result: NodeMessage) -> None:
    result.workflow_node.launchplan_ref.CopyFrom(scope.add(entity).id)
    kept = [binding for binding in result.inputs if binding.var not in entity.fixed_inputs.literals]
    del result.inputs[:]
    result.inputs.extend(kept)


def _branch(scope: Scope, node: Node, entity: BranchNode, result: NodeMessage) -> None:
    first, *others, last = entity.cases
    branch = BranchNodeMessage()
    branch.if_else.case.CopyFrom(_if_block(scope, first))
    branch.if_else.other.extend(_if_block(scope, case) for case in others)
    if last.output_node is not None:
        branch.if_else.else_node.CopyFrom(node_message(scope, last.output_node))
    elif last.output_promise is None:
        message = last.err or "Condition failed"
        branch.if_else.error.CopyFrom(Error(failed_node_id=entity.name, message=message))
    result.branch_node.CopyFrom(branch)


def _if_block(scope: Scope, case: Case) -> IfBlock:
    if case.expr is None or case.output_node is None:
        raise ValueError(f"The branch {case} calls nothing; only the last branch may fail without a call")
    return IfBlock(condition=case.expr.message(), then_node=node_message(scope, case.output_node))


def _gate(scope: Scope, node: Node, entity: Gate, result: NodeMessage) -> None:
    gate = GateNodeMessage()
    if entity.sleep_duration is not None:
        gate.sleep.duration.FromTimedelta(entity.sleep_duration)
    elif entity.literal_type is not None:
        gate.signal.signal_id = entity.name
        gate.signal.type.CopyFrom(entity.literal_type)
        gate.signal.output_variable_name = next(iter(entity.python_interface.outputs))
    else:
        gate.approve.signal_id = entity.name
    result.gate_node.CopyFrom(gate)


_KINDS: tuple[tuple[Any, Callable[..., None]], ...] = (
    (ReferenceEntity, _reference),
    (ArrayNode, _array_node),
    (ArrayNodeMapTask, _map_task),
    (PythonTask, _task),
    (WorkflowBase, _workflow),
    (BranchNode, _branch),
    (LaunchPlan, _launch_plan),
    (Gate, _gate),
)
