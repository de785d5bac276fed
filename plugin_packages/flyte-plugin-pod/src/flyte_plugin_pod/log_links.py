"""Links to a task's logs, from the templates of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from flyteidl.core.execution_pb2 import TaskLog

from flyte_core.cluster import Manifest
from flyte_core.task_types import TaskContext
from flyte_plugin_pod.log_config import LogConfig, LogTemplate
from flyte_plugin_pod.pod_status import PodStatus, moment

SUFFIX = " (User)"
"""What upstream adds to the names of links of pods."""
LINK_TYPE = "link_type"
_VARIABLE = re.compile(r"\{\{\s*[.$]([\w.]+)\s*\}\}")


def log_links(ctx: TaskContext, pod: PodStatus, config: LogConfig) -> tuple[TaskLog, ...]:
    """Return the links of one pod; a variable without a value is left as it is (upstream's rule)."""
    shown = [template for template in _templates(ctx, config) if _is_shown(template, pod)]
    if not shown:
        return ()
    values = {name.lower(): value for name, value in _values(ctx, pod).items() if value and isinstance(value, str)}
    return tuple(
        TaskLog(uri=_filled(uri, values), name=template.name + SUFFIX, message_format=template.message_format)
        for template in shown
        for uri in template.uris
    )


def _templates(ctx: TaskContext, config: LogConfig) -> Iterator[LogTemplate]:
    yield from config.templates
    dynamic = config.by_link_type or {}
    for name in ctx.template.config.get(LINK_TYPE, "").split(","):
        if name.strip() in dynamic:
            yield dynamic[name.strip()]


def _is_shown(template: LogTemplate, pod: PodStatus) -> bool:
    if pod.phase in ("", "Pending"):
        return template.while_pending
    return template.once_finished or pod.phase not in ("Succeeded", "Failed")


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match.group(1).lower(), match.group(0)), template)


def _values(ctx: TaskContext, pod: PodStatus) -> dict[str, str]:
    metadata: Manifest = pod.metadata
    spec: Manifest = pod.spec
    execution, task = ctx.id.node_execution_id.execution_id, ctx.id.task_id
    started, finished = moment(pod.status.get("startTime")), pod.last_change()
    return {
        "logName": ctx.generated_name,
        "namespace": metadata.get("namespace", ctx.namespace),
        "podName": metadata.get("name", ctx.generated_name),
        "podUID": metadata.get("uid", ""),
        "containerName": pod.primary,
        "containerId": str(pod.primary_status().get("containerID", "")).rpartition("//")[2],
        "hostname": spec.get("hostname", ""),
        "nodeName": spec.get("nodeName", ""),
        "podRFC3339StartTime": _rfc3339(started),
        "podRFC3339FinishTime": _rfc3339(finished),
        "podUnixStartTime": _unix(started),
        "podUnixFinishTime": _unix(finished),
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
        **{f"taskConfig.{key}": value for key, value in ctx.template.config.items()},
    }


def _rfc3339(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _unix(at: datetime | None) -> str:
    return str(int(at.timestamp())) if at else ""
