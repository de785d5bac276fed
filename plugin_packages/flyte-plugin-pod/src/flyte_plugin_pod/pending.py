"""Pods that do not run yet: what they wait for, how long that may last, and when it is a failure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flyteidl.core.execution_pb2 import ExecutionError, TaskLog

from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.failures import failure_info
from flyte_plugin_pod.pod_status import PodStatus, moment, text, waiting

ON_THE_WAY = frozenset({"ContainerCreating", "PodInitializing", "ErrImagePull", ""})
"""Reasons of waiting that pass by themselves."""
TROUBLE = 1
"""Version of INITIALIZING that tells of trouble; kept apart so that it is reported once, however often the cluster
alternates between the two reasons of a failing pull."""
USER, SYSTEM = ExecutionError.USER, ExecutionError.SYSTEM


def pending(pod: PodStatus, config: PodConfig, now: datetime | None, logs: tuple[TaskLog, ...]) -> PhaseInfo:
    """Return the phase of a pod that does not run yet.

    :param now: without it no time limit counts
    """
    seen = _seen(pod, config, now, logs)
    limit, age = config.pod_pending_timeout, _seconds(moment(pod.metadata.get("creationTimestamp")), now)
    if limit and age is not None and age >= limit and seen.error is None:
        told = f"the pod has not started within {limit:g} s (pod-pending-timeout): {seen.reason or 'no reason given'}"
        return failure_info(ExecutionError(code="PodPendingTimeout", message=told, kind=USER), logs, seen.occurred_at)
    return seen


def _seen(pod: PodStatus, config: PodConfig, now: datetime | None, logs: tuple[TaskLog, ...]) -> PhaseInfo:
    unscheduled = pod.condition("PodScheduled")
    if unscheduled.get("status") == "False":
        reason = f"{text(unscheduled.get('reason'))}:{text(unscheduled.get('message'))}"
        at = moment(unscheduled.get("lastTransitionTime"))
        return PhaseInfo(TaskPhase.QUEUED, 1, reason=reason, logs=logs, occurred_at=at)
    ready = pod.condition("Ready")
    since = moment(ready.get("lastTransitionTime")) or moment(pod.metadata.get("creationTimestamp"))
    states = [waiting(container) for container in pod.containers if waiting(container)]
    # One container in trouble matters more than another that is still on its way.
    states.sort(key=lambda state: text(state.get("reason")) in ON_THE_WAY)
    if states:
        return _waiting(states[0], ready, since, _seconds(since, now), config, logs)
    return PhaseInfo(TaskPhase.QUEUED, 0, logs=logs)


def _waiting(
    state: Mapping[str, Any],
    ready: Mapping[str, Any],
    since: datetime | None,
    lasted: float | None,
    config: PodConfig,
    logs: tuple[TaskLog, ...],
) -> PhaseInfo:
    reason = text(state.get("reason"))
    code = "|".join(filter(None, (text(ready.get("reason")), reason)))
    message = "|".join(filter(None, (text(ready.get("message")), text(state.get("message")))))
    told = f"[{code}]: {message}"
    if reason in ON_THE_WAY:
        version = TROUBLE if reason == "ErrImagePull" else 0
        return PhaseInfo(TaskPhase.INITIALIZING, version, reason=told, logs=logs, occurred_at=since)
    grace = {
        "ImagePullBackOff": config.image_pull_backoff_grace_period,
        "CreateContainerError": config.create_container_error_grace_period,
        "CreateContainerConfigError": config.create_container_config_error_grace_period,
    }.get(reason)
    if grace is None:
        permanent = reason == "InvalidImageName"
        error = ExecutionError(code=code, message=message, kind=USER if permanent else SYSTEM)
        return failure_info(error, logs, since, retryable=not permanent)
    if grace and (lasted is None or lasted < grace):
        return PhaseInfo(TaskPhase.INITIALIZING, TROUBLE, reason=told, logs=logs, occurred_at=since)
    over = f"Grace period [{grace:g}s] exceeded|{message}"
    error = ExecutionError(code=code, message=over, kind=USER)
    return failure_info(error, logs, since, retryable=reason == "ImagePullBackOff")


def _seconds(since: datetime | None, now: datetime | None) -> float | None:
    return (now - since).total_seconds() if since is not None and now is not None else None
