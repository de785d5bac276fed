"""What a pod's status means for the task: upstream's table of phases, reasons, codes and budgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flyteidl.core.execution_pb2 import ExecutionError, TaskLog

from flyte_core.cluster import Manifest
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.failures import failed_pod, failed_primary, failure_info, out_of_memory
from flyte_plugin_pod.log_links import log_links
from flyte_plugin_pod.pending import pending
from flyte_plugin_pod.pod_status import PodStatus, exit_code, mappings, terminated

WITH_LOGS = 1
"""Version of RUNNING whose logs are known (upstream's)."""


def observe_pod(ctx: TaskContext, pod: Manifest, config: PodConfig) -> PhaseInfo:
    """Return the phase that the pod shows. Any status is answered."""
    status = PodStatus.of(pod)
    logs = log_links(ctx, status, config.logs)
    at = status.last_change()
    match status.phase:
        case "Succeeded":
            return _succeeded(status, logs, at)
        case "Failed":
            return _failed(status, logs, at)
        case "Running":
            return _running(status, logs, at)
        case "Unknown":
            # The node does not answer; what the pod does there will be told by it, or by who deletes the pod.
            return PhaseInfo(TaskPhase.QUEUED, 1, reason="the state of the pod is unknown", logs=logs)
        case _:
            return pending(status, config, ctx.now, logs)


def _succeeded(pod: PodStatus, logs: tuple[TaskLog, ...], at: datetime | None) -> PhaseInfo:
    """Return success, unless a container was ended for its memory: an init process may hide that of its child."""
    for container in pod.containers:
        if out_of_memory(container):
            error = ExecutionError(
                code="OOMKilled",
                message="Pod reported success despite being OOMKilled",
                kind=ExecutionError.USER,
            )
            return failure_info(error, logs, at)
    return PhaseInfo(TaskPhase.SUCCESS, logs=logs, occurred_at=at)


def _failed(pod: PodStatus, logs: tuple[TaskLog, ...], at: datetime | None) -> PhaseInfo:
    primary = pod.primary_status()
    if pod.has_primary and terminated(primary) and exit_code(terminated(primary)) == 0 and not pod.status.get("reason"):
        # A sidecar failed after the primary container had ended well, which would have been seen a moment before.
        return _succeeded(pod, logs, at)
    return failure_info(failed_pod(pod), logs, at)


def _running(pod: PodStatus, logs: tuple[TaskLog, ...], at: datetime | None) -> PhaseInfo:
    running = PhaseInfo(TaskPhase.RUNNING, WITH_LOGS if logs else 0, logs=logs, occurred_at=at)
    if not pod.has_primary:
        statuses = [item for item in pod.containers if not _is_init(pod, item)]
        ended_well = [bool(terminated(item)) and exit_code(terminated(item)) == 0 for item in statuses]
        return _succeeded(pod, logs, at) if ended_well and all(ended_well) else running
    primary = pod.primary_status()
    if not primary and pod.containers:
        text = f"Primary container [{pod.primary}] not found in pod's container statuses"
        error = ExecutionError(code="PrimaryContainerNotFound", message=text, kind=ExecutionError.USER)
        return failure_info(error, logs, at, retryable=False)
    if not terminated(primary):
        return running
    error_or_none = failed_primary(pod, primary)
    if error_or_none is not None:
        return failure_info(error_or_none, logs, at)
    return PhaseInfo(TaskPhase.SUCCESS, logs=logs, occurred_at=at)


def _is_init(pod: PodStatus, container: Mapping[str, Any]) -> bool:
    names = [item.get("name") for item in mappings(pod.spec.get("initContainers"))]
    return container.get("name") in names
