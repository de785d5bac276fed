"""The whole FlyteWorkflow of one execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flyteidl.admin.execution_pb2 import ExecutionSpec
from flyteidl.core.compiler_pb2 import CompiledWorkflowClosure
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import LiteralMap

from flyte_core.cluster import FLYTE_WORKFLOW, Manifest
from flyte_core.flyteworkflow.encodings import go_struct, jsonpb
from flyte_core.flyteworkflow.spec import ClosureParts, closure_parts
from flyte_core.flyteworkflow.task_defaults import task_resources_json
from flyte_core.identifiers import label_value, shard_key
from flyte_core.task_types import PlatformResources

FINALIZER = "flyte.org/finalizer"
"""Put on by the control plane, taken off by the data plane once the execution is over."""
EVENT_VERSION = 2


@dataclass(frozen=True, slots=True)
class PluginOverride:
    """Which plugins may run a task type in this execution, in order of preference.

    :ivar use_default: what happens when none of them is there: the platform's own choice, or a failure
    """

    plugin_ids: Sequence[str]
    use_default: bool = False


@dataclass(frozen=True, slots=True)
class LaunchFacts:
    """What an execution adds to its closure.

    :ivar spec: effective, every default filled in; labels, annotations, parallelism, interruptible, overwrite_cache,
        envs, raw output prefix and security context are read from it
    :ivar recovery: the execution that this one recovers
    :ivar plugins: overrides by task type
    """

    execution_id: WorkflowExecutionIdentifier
    namespace: str
    inputs: LiteralMap
    spec: ExecutionSpec
    accepted_at: datetime
    platform_resources: PlatformResources = field(default_factory=PlatformResources)
    recovery: WorkflowExecutionIdentifier | None = None
    plugins: Mapping[str, PluginOverride] = field(default_factory=dict)
    console_url: str = ""


def build_flyte_workflow(closure: CompiledWorkflowClosure | ClosureParts, facts: LaunchFacts) -> dict[str, Any]:
    """Return the FlyteWorkflow to create for an execution.

    Pure: the same arguments give the same manifest, so that creating it may be repeated.

    :param closure: the compiled closure, or its parts (with the platform's resources filled in) kept from before
    :raises flyte_core.errors.InvalidInput: if a resource quantity of a task or of the platform cannot be read
    """
    parts = closure if isinstance(closure, ClosureParts) else closure_parts(closure, facts.platform_resources)
    manifest: dict[str, Any] = {
        "apiVersion": FLYTE_WORKFLOW.api_version,
        "kind": FLYTE_WORKFLOW.kind,
        "metadata": _metadata(parts, facts),
        "spec": parts.spec,
        "workflowMeta": {"eventVersion": EVENT_VERSION},
        "inputs": jsonpb(facts.inputs),
        "executionId": go_struct(facts.execution_id),
        "tasks": parts.tasks,
        "node-defaults": parts.node_defaults,
        "acceptedAt": facts.accepted_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "securityContext": go_struct(facts.spec.security_context),
        "status": {"phase": 0},
        "rawOutputDataConfig": go_struct(facts.spec.raw_output_data_config),
        "executionConfig": _execution_config(facts),
    }
    if parts.sub_workflows:
        manifest["subWorkflows"] = parts.sub_workflows
    service_account = facts.spec.security_context.run_as.k8s_service_account
    if service_account:
        manifest["serviceAccountName"] = service_account
    if facts.console_url:
        manifest["consoleUrl"] = facts.console_url
    return manifest


def _metadata(parts: ClosureParts, facts: LaunchFacts) -> dict[str, Any]:
    ids = facts.execution_id
    labels = {
        "execution-id": ids.name,
        "project": ids.project,
        "domain": ids.domain,
        "workflow-name": label_value(parts.workflow_name),
        "shard-key": shard_key(ids.name),
    }
    # The user's labels win: a child execution thereby carries its parent's, by which it is found.
    labels.update(facts.spec.labels.values)
    metadata: dict[str, Any] = {
        "name": ids.name,
        "namespace": facts.namespace,
        "labels": labels,
        "finalizers": [FINALIZER],
    }
    if facts.spec.annotations.values:
        metadata["annotations"] = dict(facts.spec.annotations.values)
    return metadata


def _execution_config(facts: LaunchFacts) -> dict[str, Any]:
    spec = facts.spec
    envs = {pair.key: pair.value for pair in spec.envs.values}
    return {
        "TaskPluginImpls": {
            task_type: {
                "PluginIDs": list(override.plugin_ids),
                "MissingPluginBehavior": 1 if override.use_default else 0,
            }
            for task_type, override in facts.plugins.items()
        },
        "MaxParallelism": spec.max_parallelism,
        "RecoveryExecution": go_struct(facts.recovery) if facts.recovery is not None else {},
        "TaskResources": task_resources_json(facts.platform_resources),
        "Interruptible": spec.interruptible.value if spec.HasField("interruptible") else None,
        "OverwriteCache": spec.overwrite_cache,
        "EnvironmentVariables": envs or None,
    }


def offload_closure(manifest: Manifest, uri: str) -> dict[str, Any]:
    """Return the manifest with a reference in place of spec, tasks and sub-workflows.

    :param uri: of a ``flyteidl.admin.WorkflowClosure`` in the object store; the data plane makes the same parts of it
        again, except that the platform's resources are not filled in
    """
    kept = {key: value for key, value in manifest.items() if key != "subWorkflows"}
    return {**kept, "spec": None, "tasks": None, "workflowClosureReference": uri}


def offload_inputs(manifest: Manifest, uri: str) -> dict[str, Any]:
    """Return the manifest with a reference to a ``flyteidl.core.LiteralMap`` in place of the inputs."""
    return {**manifest, "inputs": None, "offloadedInputs": uri}


def restore_closure(manifest: Manifest, closure: CompiledWorkflowClosure | ClosureParts) -> dict[str, Any]:
    """Return a manifest that has a ``workflowClosureReference`` with the parts of the closure filled in.

    For the data plane to read; what it writes back must be without them.
    """
    parts = closure if isinstance(closure, ClosureParts) else closure_parts(closure)
    restored = {**manifest, "spec": parts.spec, "tasks": parts.tasks}
    if parts.sub_workflows:
        restored["subWorkflows"] = parts.sub_workflows
    return restored
