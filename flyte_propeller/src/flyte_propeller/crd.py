"""Reads a FlyteWorkflow v1alpha1 into the machine's :class:`~flyte_propeller.machine.workflow.Workflow`.

The manifest mixes three JSON encodings (jsonpb, Go structs of protobuf messages, plain Go structs); which one a field
has is upstream's choice and noted where it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.admin.common_pb2 import Annotations, Envs, Labels
from flyteidl.admin.execution_pb2 import ExecutionSpec
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import KeyValuePair, LiteralMap
from flyteidl.core.security_pb2 import SecurityContext
from google.protobuf.json_format import ParseError

from flyte_core import paths
from flyte_core.cluster import Manifest
from flyte_core.errors import InvalidInput
from flyte_core.task_types import PlatformResources
from flyte_propeller.graph_reader import GraphReader, PluginOf, from_jsonpb
from flyte_propeller.machine.workflow import Workflow, handled, indices
from flyte_propeller.settings import PropellerSettings

SHARD_KEY = "shard-key"
_QUANTITIES = {"CPU": "cpu", "Memory": "memory", "EphemeralStorage": "ephemeral-storage", "GPU": "nvidia.com/gpu"}


def parse_workflow(manifest: Manifest, settings: PropellerSettings, plugin_of: PluginOf) -> Workflow:
    """Return the graph and the execution's facts.

    :raises flyte_core.errors.InvalidInput: if the manifest is no workflow that this data plane can run; names the part
    """
    try:
        return _parse(manifest, settings, plugin_of)
    except (KeyError, TypeError, AttributeError, ParseError, ValueError) as error:
        raise InvalidInput(f"the FlyteWorkflow is malformed: {type(error).__name__}: {error}") from error


def _parse(manifest: Manifest, settings: PropellerSettings, plugin_of: PluginOf) -> Workflow:
    spec, metadata = manifest["spec"], manifest["metadata"]
    ids = manifest["executionId"]
    execution = WorkflowExecutionIdentifier(project=ids["project"], domain=ids["domain"], name=ids["name"])
    data_dir = paths.execution_data_dir(settings.metadata_prefix, execution)
    nodes = GraphReader(manifest, data_dir, plugin_of).read(spec)
    by_id = {node.unique_id: node.index for node in nodes}
    config = manifest.get("executionConfig") or {}
    raw = (manifest.get("rawOutputDataConfig") or {}).get("output_location_prefix")
    return Workflow(
        execution=execution,
        namespace=metadata["namespace"],
        id=spec["id"],
        nodes=nodes,
        start=by_id[paths.START_NODE],
        end=by_id[paths.END_NODE],
        failure=by_id[spec["onFailure"]["id"]] if spec.get("onFailure") else None,
        fail_immediately=spec.get("onFailurePolicy", "FAIL_IMMEDIATELY") == "FAIL_IMMEDIATELY",
        max_parallelism=int(config.get("MaxParallelism") or 0),
        data_dir=data_dir,
        raw_output_prefix=raw or settings.raw_output_prefix,
        inputs=from_jsonpb(manifest.get("inputs"), LiteralMap()),
        has_outputs=bool(spec.get("outputBindings")),
        owner={
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        },
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        env={**dict(settings.task_env), **(config.get("EnvironmentVariables") or {})},
        security=from_jsonpb(manifest.get("securityContext"), SecurityContext()),
        platform_resources=_platform_resources(config.get("TaskResources") or {}),
        interruptible=config.get("Interruptible"),
        interruptible_default=bool((manifest.get("node-defaults") or {}).get("interruptible")),
        recovers=_recovered(config.get("RecoveryExecution")),
        overwrite_cache=bool(config.get("OverwriteCache")),
        console_url=manifest.get("consoleUrl") or "",
        sub_workflow_nodes=indices(nodes, "workflow"),
        handled_nodes=handled(nodes),
        branch_nodes=tuple(reversed(indices(nodes, "branch"))),
        array_nodes=indices(nodes, "array"),
        gate_nodes=indices(nodes, "gate"),
        inherited=_inherited(manifest, config),
    )


def _recovered(identifier: Mapping[str, str] | None) -> WorkflowExecutionIdentifier | None:
    if not identifier or not identifier.get("name"):
        return None
    parts = {part: identifier[part] for part in ("project", "domain", "name")}
    return WorkflowExecutionIdentifier(**parts)


def _inherited(manifest: Manifest, config: Mapping[str, Any]) -> ExecutionSpec:
    """Return what child executions take over: of the labels all but the one by which propellers share the work."""
    metadata = manifest["metadata"]
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != SHARD_KEY}
    spec = ExecutionSpec(
        labels=Labels(values=labels),
        annotations=Annotations(values=metadata.get("annotations") or {}),
        security_context=from_jsonpb(manifest.get("securityContext"), SecurityContext()),
        max_parallelism=int(config.get("MaxParallelism") or 0),
        overwrite_cache=bool(config.get("OverwriteCache")),
        envs=Envs(
            values=[
                KeyValuePair(key=key, value=value)
                for key, value in sorted((config.get("EnvironmentVariables") or {}).items())
            ]
        ),
    )
    if config.get("Interruptible") is not None:
        spec.interruptible.value = bool(config["Interruptible"])
    prefix = (manifest.get("rawOutputDataConfig") or {}).get("output_location_prefix")
    if prefix:
        spec.raw_output_data_config.output_location_prefix = prefix
    return spec


def _platform_resources(config: Mapping[str, Any]) -> PlatformResources:
    def quantities(values: Mapping[str, Any] | None) -> dict[str, str]:
        given = values or {}
        return {name: given[key] for key, name in _QUANTITIES.items() if given.get(key, "0") != "0"}

    return PlatformResources(quantities(config.get("Requests")), quantities(config.get("Limits")))
