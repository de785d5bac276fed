"""Reads a FlyteWorkflow v1alpha1 into the machine's :class:`~flyte_propeller.machine.workflow.Workflow`.

The manifest mixes three JSON encodings (jsonpb, Go structs of protobuf messages, plain Go structs); which one a field
has is upstream's choice and noted where it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier
from flyteidl.core.literals_pb2 import Binding, LiteralMap
from flyteidl.core.security_pb2 import SecurityContext
from flyteidl.core.tasks_pb2 import TaskTemplate
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from flyte_core import paths
from flyte_core.cluster import Manifest
from flyte_core.errors import InvalidInput
from flyte_core.task_types import PlatformResources
from flyte_propeller.machine.workflow import Node, NodeKind, Workflow
from flyte_propeller.settings import PropellerSettings

M = TypeVar("M", bound=Message)
SUPPORTED_KINDS: tuple[NodeKind, ...] = ("start", "end", "task")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_QUANTITIES = {"CPU": "cpu", "Memory": "memory", "EphemeralStorage": "ephemeral-storage", "GPU": "nvidia.com/gpu"}

PluginOf = Callable[[str], tuple[str, int]]
"""Task type → id of its plugin, and its limit for generated names."""


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
    nodes = _nodes(spec, _tasks(manifest), plugin_of)
    by_id = {node.id: node.index for node in nodes}
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
        data_dir=paths.execution_data_dir(settings.metadata_prefix, execution),
        raw_output_prefix=raw or settings.raw_output_prefix,
        inputs=_message(manifest.get("inputs"), LiteralMap()),
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
        security=_message(manifest.get("securityContext"), SecurityContext()),
        platform_resources=_platform_resources(config.get("TaskResources") or {}),
        interruptible=config.get("Interruptible"),
        interruptible_default=bool((manifest.get("node-defaults") or {}).get("interruptible")),
        console_url=manifest.get("consoleUrl") or "",
    )


def _tasks(manifest: Manifest) -> dict[str, TaskTemplate]:
    return {key: _message(task, TaskTemplate()) for key, task in (manifest.get("tasks") or {}).items()}


def _nodes(spec: Mapping[str, Any], tasks: Mapping[str, TaskTemplate], plugin_of: PluginOf) -> tuple[Node, ...]:
    listed = dict(spec["nodes"])
    if spec.get("onFailure"):
        listed[spec["onFailure"]["id"]] = spec["onFailure"]
    index = {identifier: number for number, identifier in enumerate(listed)}
    upstream = (spec.get("edges") or {}).get("upstream") or {}
    downstream = (spec.get("edges") or {}).get("downstream") or {}
    unknown = {u for ids in (*upstream.values(), *downstream.values()) for u in ids if u not in index}
    if unknown:
        raise InvalidInput(f"edges name nodes that are not there: {', '.join(sorted(unknown))}", field="spec.edges")
    return tuple(
        _node(
            listed[identifier],
            number,
            tasks,
            tuple(index[u] for u in upstream.get(identifier, ())),
            tuple(index[d] for d in downstream.get(identifier, ())),
            plugin_of,
        )
        for identifier, number in index.items()
    )


def _node(
    node: Mapping[str, Any],
    index: int,
    tasks: Mapping[str, TaskTemplate],
    upstream: tuple[int, ...],
    downstream: tuple[int, ...],
    plugin_of: PluginOf,
) -> Node:
    kind = node["kind"]
    if kind not in SUPPORTED_KINDS:
        raise InvalidInput(f"node {node['id']!r} is of kind {kind!r}, which this data plane does not run yet")
    task = tasks[node["task"]] if node.get("task") else None
    plugin_id, name_limit = plugin_of(task.type) if task is not None else ("", 50)
    return Node(
        index=index,
        id=node["id"],
        kind=kind,
        name=node.get("name") or "",
        task=task,
        bindings=tuple(_message(binding, Binding()) for binding in node.get("inputBindings") or ()),
        upstream=upstream,
        downstream=downstream,
        max_attempts=max(1, int((node.get("retry") or {}).get("minAttempts") or 1)),
        interruptible=node.get("interruptible"),
        execution_deadline=parse_duration(node.get("executionDeadline")),
        active_deadline=parse_duration(node.get("activeDeadline")),
        resources=node.get("resources") or {},
        container_image=node.get("containerImage") or "",
        pod_template=node.get("podTemplate") or {},
        aliases=tuple((alias["var"], alias["alias"]) for alias in node.get("outputAlias") or ()),
        plugin_id=plugin_id,
        name_limit=name_limit,
    )


def parse_duration(text: str | None) -> timedelta | None:
    """Read Go's form of a duration (``1h0m3.5s``); None and zero are None.

    :raises ValueError: if it is something else
    """
    if not text:
        return None
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text.lstrip("+"):
        if text == "0":
            return None
        raise ValueError(f"{text!r} is no duration, such as 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return timedelta(seconds=seconds) if seconds else None


def _platform_resources(config: Mapping[str, Any]) -> PlatformResources:
    def quantities(values: Mapping[str, Any] | None) -> dict[str, str]:
        given = values or {}
        return {name: given[key] for key, name in _QUANTITIES.items() if given.get(key, "0") != "0"}

    return PlatformResources(quantities(config.get("Requests")), quantities(config.get("Limits")))


def _message(value: Any, message: M) -> M:
    return ParseDict(value, message, ignore_unknown_fields=True) if value else message
