"""Links to a task's logs, from a template of the configuration."""

from __future__ import annotations

import re

from flyteidl.core.execution_pb2 import TaskLog

from flyte_core.cluster import Manifest
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.config import PodConfig

VARIABLE = re.compile(r"\{\{\s*[.$](\w+)\s*\}\}")


def log_links(ctx: TaskContext, pod: Manifest, config: PodConfig) -> tuple[TaskLog, ...]:
    """Return the links of one pod; a variable without a value is left as it is (upstream's rule)."""
    if not config.log_template:
        return ()
    values = {name.lower(): value for name, value in _values(ctx, pod).items() if value}
    uri = VARIABLE.sub(lambda match: values.get(match.group(1).lower(), match.group(0)), config.log_template)
    return (TaskLog(uri=uri, name=config.log_name, message_format=TaskLog.JSON),)


def _values(ctx: TaskContext, pod: Manifest) -> dict[str, str]:
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    execution, task = ctx.id.node_execution_id.execution_id, ctx.id.task_id
    containers = spec.get("containers") or [{}]
    return {
        "namespace": metadata.get("namespace", ctx.namespace),
        "podName": metadata.get("name", ctx.generated_name),
        "podUID": metadata.get("uid", ""),
        "containerName": containers[0].get("name", ""),
        "hostname": spec.get("hostname", ""),
        "nodeName": spec.get("nodeName", ""),
        "generatedName": ctx.generated_name,
        "nodeID": ctx.id.node_execution_id.node_id,
        "taskRetryAttempt": str(ctx.id.retry_attempt),
        "taskID": task.name,
        "taskVersion": task.version,
        "taskProject": task.project,
        "taskDomain": task.domain,
        "executionName": execution.name,
        "executionProject": execution.project,
        "executionDomain": execution.domain,
    }
