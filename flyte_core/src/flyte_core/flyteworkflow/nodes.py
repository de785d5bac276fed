"""Nodes of a compiled workflow as NodeSpecs of the FlyteWorkflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flyteidl.core.literals_pb2 import Binding
from flyteidl.core.tasks_pb2 import Resources, TaskTemplate
from flyteidl.core.workflow_pb2 import ArrayNode, BranchNode, GateNode, IfBlock, Node, NodeMetadata, TaskNodeOverrides
from google.protobuf.duration_pb2 import Duration

from flyte_core.compiler.references import Key, key_of
from flyte_core.flyteworkflow.encodings import go_duration, go_struct, jsonpb
from flyte_core.identifiers import identifier_key
from flyte_core.paths import END_NODE, START_NODE

_RESOURCES = {
    Resources.CPU: "cpu",
    Resources.GPU: "nvidia.com/gpu",
    Resources.MEMORY: "memory",
    Resources.STORAGE: "storage",
    Resources.EPHEMERAL_STORAGE: "ephemeral-storage",
}


def bindings_json(bindings: Iterable[Binding]) -> list[dict[str, Any]]:
    """Return bindings as the manifest holds them."""
    return [jsonpb(binding) for binding in bindings]


def node_spec(node: Node, tasks: Mapping[Key, TaskTemplate]) -> dict[str, Any]:
    """Return one node, with the sub-node of an array inside; the cases of a branch are nodes beside it.

    :param tasks: the closure's, for retries that only the task states
    """
    spec: dict[str, Any] = {"id": node.id, "resources": {}}
    if node.metadata.name:
        spec["name"] = node.metadata.name
    if node.inputs:
        spec["inputBindings"] = bindings_json(node.inputs)
    if node.output_aliases:
        spec["outputAlias"] = [go_struct(alias) for alias in node.output_aliases]
    if node.metadata.HasField("timeout"):
        spec["executionDeadline"] = go_duration(node.metadata.timeout)
        spec["activeDeadline"] = go_duration(_twice(node.metadata.timeout))
    if node.metadata.WhichOneof("interruptible_value") == "interruptible":
        spec["interruptible"] = node.metadata.interruptible
    retries = _retries(node, tasks)
    if retries:
        spec["retry"] = {"minAttempts": retries + 1}
    spec.update(_target(node, tasks))
    cache = _cache(node.metadata)
    if cache:
        spec["cache"] = cache
    return spec


def _cache(metadata: NodeMetadata) -> dict[str, Any]:
    """Return what the node says of caching beside its task. Upstream's NodeSpec has no field for it, and its data
    plane does as the task says.
    """
    fields = ("cacheable", "cache_version", "cache_serializable")
    return {field: getattr(metadata, field) for field in fields if metadata.WhichOneof(f"{field}_value")}


def _twice(duration: Duration) -> Duration:
    doubled = Duration()
    doubled.FromNanoseconds(2 * duration.ToNanoseconds())
    return doubled


def _retries(node: Node, tasks: Mapping[Key, TaskTemplate]) -> int:
    if node.metadata.HasField("retries"):
        return int(node.metadata.retries.retries)
    task = tasks.get(key_of(node.task_node.reference_id)) if node.WhichOneof("target") == "task_node" else None
    return int(task.metadata.retries.retries) if task is not None else 0


def _target(node: Node, tasks: Mapping[Key, TaskTemplate]) -> dict[str, Any]:
    match node.WhichOneof("target"):
        case "task_node":
            overrides = _overrides(node.task_node.overrides)
            return {"kind": "task", "task": identifier_key(node.task_node.reference_id), **overrides}
        case "workflow_node":
            reference = node.workflow_node
            if reference.WhichOneof("reference") == "launchplan_ref":
                return {"kind": "workflow", "workflow": {"launchPlanRefId": jsonpb(reference.launchplan_ref)}}
            return {"kind": "workflow", "workflow": {"subWorkflowRef": identifier_key(reference.sub_workflow_ref)}}
        case "branch_node":
            return {"kind": "branch", "branch": _branch(node.branch_node)}
        case "gate_node":
            return {"kind": "gate", "gate": _gate(node.gate_node)}
        case "array_node":
            return {"kind": "array", "array": _array(node.array_node, tasks)}
        case _:
            return {"kind": {START_NODE: "start", END_NODE: "end"}[node.id]}


def _overrides(overrides: TaskNodeOverrides) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    if overrides.HasField("resources"):
        spec["resources"] = _resources(overrides.resources)
    if overrides.HasField("extended_resources"):
        spec["extendedResources"] = jsonpb(overrides.extended_resources)
    if overrides.container_image:
        spec["containerImage"] = overrides.container_image
    if overrides.HasField("pod_template"):
        spec["podTemplate"] = go_struct(overrides.pod_template)
    return spec


def _resources(resources: Resources) -> dict[str, Any]:
    named = {
        "requests": {_RESOURCES[entry.name]: entry.value for entry in resources.requests if entry.name in _RESOURCES},
        "limits": {_RESOURCES[entry.name]: entry.value for entry in resources.limits if entry.name in _RESOURCES},
    }
    return {kind: quantities for kind, quantities in named.items() if quantities}


def _branch(branch: BranchNode) -> dict[str, Any]:
    block = branch.if_else
    spec: dict[str, Any] = {"if": _case(block.case)}
    if block.other:
        spec["elseIf"] = [_case(case) for case in block.other]
    match block.WhichOneof("default"):
        case "else_node":
            spec["else"] = block.else_node.id
        case "error":
            spec["elseFail"] = go_struct(block.error)
    return spec


def _case(case: IfBlock) -> dict[str, Any]:
    return {"condition": jsonpb(case.condition), "then": case.then_node.id}


def _gate(gate: GateNode) -> dict[str, Any]:
    kind = gate.WhichOneof("condition")
    return {"kind": kind, kind: jsonpb(getattr(gate, kind))}


def _array(array: ArrayNode, tasks: Mapping[Key, TaskTemplate]) -> dict[str, Any]:
    def chosen(oneof: str, field: str) -> Any:
        return getattr(array, field) if array.WhichOneof(oneof) == field else None

    spec = {
        "SubNodeSpec": node_spec(array.node, tasks),
        "Parallelism": chosen("parallelism_option", "parallelism"),
        "MinSuccesses": chosen("success_criteria", "min_successes"),
        "MinSuccessRatio": chosen("success_criteria", "min_success_ratio"),
        "BoundInputs": list(array.bound_inputs) or None,
    }
    # Upstream's manifest does not say these, and its data plane does not heed them.
    if array.is_original_sub_node_interface.value:
        spec["IsOriginalSubNodeInterface"] = True
    if array.data_mode:
        spec["DataMode"] = array.data_mode
    if array.run_all_sub_nodes:
        spec["RunAllSubNodes"] = True
    return spec
