"""What there is to say about a registered task, workflow or launch plan, as plain data."""

from __future__ import annotations

from typing import Any

from flyteidl.admin.launch_plan_pb2 import LaunchPlan, LaunchPlanState
from flyteidl.admin.task_pb2 import Task
from flyteidl.admin.workflow_pb2 import Workflow
from flyteidl.core.tasks_pb2 import TaskTemplate
from flyteidl.core.workflow_pb2 import Node, WorkflowMetadata
from google.protobuf.json_format import MessageToDict

from flyte_cli.executions.facts import security_facts, shown_environment
from flyte_cli.executions.node_facts import START
from flyte_cli.options.urns import urn
from flyte_cli.registered.interfaces import (
    image_of,
    parameters_text,
    resources_of,
    resources_text,
    schedule_text,
    variables_text,
)
from flyte_cli.showing.literal_values import plain_map
from flyte_cli.showing.masking import masked
from flyte_cli.showing.times import iso_text


def task_facts(row: Task) -> dict[str, Any]:
    """Return everything about a task."""
    template = row.closure.compiled_task.template
    metadata = template.metadata
    return {
        "task": urn(row.id),
        "type": template.type,
        "created": iso_text(row.closure.created_at),
        "description": row.short_description,
        "image": image_of(template),
        "command": " ".join([*template.container.command, *template.container.args]),
        "sdk": f"{metadata.runtime.flavor} {metadata.runtime.version}".strip(),
        "retries": metadata.retries.retries,
        "timeout_seconds": metadata.timeout.ToTimedelta().total_seconds() or None,
        "interruptible": metadata.interruptible if metadata.WhichOneof("interruptible_value") else None,
        "pod_template": metadata.pod_template_name,
        "deprecated": metadata.deprecated_error_message,
        "cache": _cache(template),
        "inputs": dict(variables_text(template.interface.inputs)),
        "outputs": dict(variables_text(template.interface.outputs)),
        "resources": resources_of(template),
        "accelerator": template.extended_resources.gpu_accelerator.device,
        "environment": shown_environment(template.container.env),
        "config": dict(sorted(template.config.items())),
        "custom": masked(MessageToDict(template.custom)),
        **security_facts(template.security_context),
    }


def _cache(template: TaskTemplate) -> dict[str, Any] | None:
    metadata = template.metadata
    if not metadata.discoverable:
        return None
    return {
        "version": metadata.discovery_version,
        "serialized": metadata.cache_serializable,
        "ignored_inputs": list(metadata.cache_ignore_input_vars),
    }


def workflow_facts(row: Workflow) -> dict[str, Any]:
    """Return everything about a workflow."""
    compiled = row.closure.compiled_workflow
    template = compiled.primary.template
    return {
        "workflow": urn(row.id),
        "created": iso_text(row.closure.created_at),
        "description": row.short_description,
        "on_failure": WorkflowMetadata.OnFailurePolicy.Name(template.metadata.on_failure),
        "failure_node": node_target(template.failure_node) if template.HasField("failure_node") else "",
        "interruptible": template.metadata_defaults.interruptible,
        "inputs": dict(variables_text(template.interface.inputs)),
        "outputs": dict(variables_text(template.interface.outputs)),
        "nodes": [
            {"node": node.id, "runs": node_target(node), "after": " ".join(_before(node))}
            for node in template.nodes
            if node.WhichOneof("target")
        ],
        "tasks": len(compiled.tasks),
        "sub_workflows": [urn(each.template.id) for each in compiled.sub_workflows],
    }


def workflow_resources(row: Workflow) -> list[dict[str, Any]]:
    """Return what each task of a workflow asks for."""
    tasks = row.closure.compiled_workflow.tasks
    return [{"task": each.template.id.name, "resources": resources_text(each.template)} for each in tasks]


def node_target(node: Node) -> str:
    """Return what a node runs, in words."""
    match node.WhichOneof("target"):
        case "task_node":
            return f"task {node.task_node.reference_id.name}"
        case "workflow_node" if node.workflow_node.WhichOneof("reference") == "launchplan_ref":
            return f"launch plan {node.workflow_node.launchplan_ref.name}"
        case "workflow_node":
            return f"workflow {node.workflow_node.sub_workflow_ref.name}"
        case "array_node":
            return f"map of {node_target(node.array_node.node)}"
        case "gate_node":
            return f"gate: {node.gate_node.WhichOneof('condition')}"
        case "branch_node":
            return "branch"
        case _:
            return ""


def _before(node: Node) -> list[str]:
    """Return the nodes that one waits for: those named, and those whose outputs it takes."""
    taken = [binding.binding.promise.node_id for binding in node.inputs if binding.binding.HasField("promise")]
    return [each for each in dict.fromkeys([*node.upstream_node_ids, *taken]) if each and each != START]


def launch_plan_facts(row: LaunchPlan) -> dict[str, Any]:
    """Return everything about a launch plan."""
    spec, closure = row.spec, row.closure
    concurrency = MessageToDict(spec.concurrency_policy, preserving_proto_field_name=True)
    return {
        "launch_plan": urn(row.id),
        "state": LaunchPlanState.Name(closure.state),
        "workflow": urn(spec.workflow_id),
        "created": iso_text(closure.created_at),
        "updated": iso_text(closure.updated_at),
        "schedule": schedule_text(spec.entity_metadata.schedule),
        "time_input": spec.entity_metadata.schedule.kickoff_time_input_arg,
        "inputs": dict(parameters_text(closure.expected_inputs)),
        "fixed_inputs": plain_map(spec.fixed_inputs),
        "outputs": dict(variables_text(closure.expected_outputs)),
        "notifications": [
            MessageToDict(each, preserving_proto_field_name=True) for each in spec.entity_metadata.notifications
        ],
        "concurrency": concurrency,
        "max_parallelism": spec.max_parallelism or None,
        "overwrite_cache": spec.overwrite_cache,
        "raw_output_prefix": spec.raw_output_data_config.output_location_prefix,
        "labels": dict(sorted(spec.labels.values.items())),
        "annotations": dict(sorted(spec.annotations.values.items())),
        "environment": shown_environment(spec.envs.values),
        **security_facts(spec.security_context),
    }
