"""What a pod's status means for the task: upstream's table of reasons, codes and budgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flyteidl.core.execution_pb2 import ExecutionError

from flyte_core.cluster import Manifest
from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo, TaskContext
from flyte_plugin_pod.build import PRIMARY
from flyte_plugin_pod.config import PodConfig
from flyte_plugin_pod.log_links import log_links

INITIALIZING = {"ContainerCreating", "PodInitializing", "ErrImagePull"}
"""Reasons of waiting that pass by themselves."""
PATIENT = {"ImagePullBackOff": 180.0, "CreateContainerError": 180.0}
"""Reasons of waiting that are a failure after that many seconds."""
PERMANENT = {"CreateContainerConfigError", "InvalidImageName"}
"""Reasons of waiting that never pass."""
LOST = {"Shutdown", "Terminated", "NodeShutdown", "NodeAffinity"}
"""Reasons of a pod that lost its machine."""
KILLED = {137, 247}
"""Exit codes of a process that somebody else ended."""


def observe_pod(ctx: TaskContext, pod: Manifest, config: PodConfig) -> PhaseInfo:
    """Return the phase that the pod shows. Any status is answered, also one that Kubernetes never writes."""
    status: Mapping[str, Any] = pod.get("status") or {}
    match status.get("phase"):
        case "Running":
            ended = _ended_primary(pod, status)
            if ended is not None:
                return ended
            return PhaseInfo(TaskPhase.RUNNING, 1, logs=log_links(ctx, pod, config), occurred_at=_started(pod, status))
        case "Succeeded":
            return _succeeded(ctx, pod, status, config)
        case "Failed":
            return PhaseInfo(
                TaskPhase.RETRYABLE_FAILURE,
                error=_failure(pod, status),
                logs=log_links(ctx, pod, config),
                occurred_at=_finished(pod, status),
            )
        case "Unknown":
            return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=_error("PodUnknown", "the node does not answer"))
        case _:
            return _pending(ctx, pod, status, config)


def _succeeded(ctx: TaskContext, pod: Manifest, status: Mapping[str, Any], config: PodConfig) -> PhaseInfo:
    terminated = _terminated(pod, status)
    logs = log_links(ctx, pod, config)
    if terminated.get("reason") == "OOMKilled":
        error = _error("OOMKilled", _exit_text(terminated, _primary(pod)), ExecutionError.USER)
        return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=error, logs=logs)
    return PhaseInfo(TaskPhase.SUCCESS, logs=logs, occurred_at=_finished(pod, status))


def _pending(ctx: TaskContext, pod: Manifest, status: Mapping[str, Any], config: PodConfig) -> PhaseInfo:
    waiting = [c.get("state", {}).get("waiting") for c in status.get("containerStatuses") or ()]
    for state in filter(None, waiting):
        reason, message = state.get("reason", ""), state.get("message", "")
        text = f"{reason}: {message}" if message else reason
        if reason in PERMANENT:
            return PhaseInfo(TaskPhase.PERMANENT_FAILURE, error=_error(reason, text, ExecutionError.USER))
        if reason in PATIENT:
            # The kubelet repeats it for as long as the pod lives; how long it lasted is in the pod's own times.
            since, until = _moment(status.get("startTime")), _moment(state.get("lastTransitionTime"))
            if since and until and (until - since).total_seconds() > PATIENT[reason]:
                return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=_error(reason, text, ExecutionError.USER))
            return PhaseInfo(TaskPhase.INITIALIZING, reason=text)
        if reason in INITIALIZING or not reason:
            return PhaseInfo(TaskPhase.INITIALIZING, reason=text)
        return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=_error(reason, text))
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            text = f"{condition.get('reason', 'Unschedulable')}: {condition.get('message', '')}".rstrip(": ")
            return PhaseInfo(TaskPhase.QUEUED, 1, reason=text, logs=log_links(ctx, pod, config))
    return PhaseInfo(TaskPhase.QUEUED, 0)


def _ended_primary(pod: Manifest, status: Mapping[str, Any]) -> PhaseInfo | None:
    """Return the end of the primary container while sidecars still run, None while it runs itself."""
    if PRIMARY not in ((pod.get("metadata") or {}).get("annotations") or {}):
        return None
    terminated = _terminated(pod, status)
    if not terminated:
        return None
    if terminated.get("exitCode") == 0:
        return PhaseInfo(TaskPhase.SUCCESS, occurred_at=_moment(terminated.get("finishedAt")))
    return PhaseInfo(TaskPhase.RETRYABLE_FAILURE, error=_failure(pod, status))


def _failure(pod: Manifest, status: Mapping[str, Any]) -> ExecutionError:
    terminated, reason = _terminated(pod, status), status.get("reason", "")
    if reason in LOST:
        return _error("Interrupted", f"{reason}: {status.get('message', 'the pod lost its machine')}")
    if not terminated:
        text = status.get("message") or "Pod failed. No message received from kubernetes."
        return _error(reason or "Interrupted", f"{reason or 'UnknownError'}: {text}")
    code, cause = terminated.get("exitCode", 0), terminated.get("reason") or "Error"
    text = _exit_text(terminated, _primary(pod))
    if cause == "OOMKilled":
        return _error("OOMKilled", text, ExecutionError.USER)
    if code in KILLED:
        return _error("Interrupted", text)
    if cause == "ContainerStatusUnknown":
        return _error("Interrupted", text)
    return _error(cause, text, ExecutionError.USER)


def _exit_text(terminated: Mapping[str, Any], name: str) -> str:
    code, reason, message = terminated.get("exitCode"), terminated.get("reason", ""), terminated.get("message", "")
    return f"\r\n[{name}] terminated with exit code ({code}). Reason [{reason}]. Message: \n{message}."


def _error(code: str, message: str, kind: ExecutionError.ErrorKind = ExecutionError.SYSTEM) -> ExecutionError:
    return ExecutionError(code=code, message=message, kind=kind)


def _primary(pod: Manifest) -> str:
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    containers = (pod.get("spec") or {}).get("containers") or [{}]
    return str(annotations.get(PRIMARY) or containers[0].get("name", ""))


def _state(pod: Manifest, status: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _primary(pod)
    for container in status.get("containerStatuses") or ():
        if container.get("name") == name:
            state: Mapping[str, Any] = container.get("state") or {}
            return state
    return {}


def _terminated(pod: Manifest, status: Mapping[str, Any]) -> Mapping[str, Any]:
    terminated: Mapping[str, Any] = _state(pod, status).get("terminated") or {}
    return terminated


def _finished(pod: Manifest, status: Mapping[str, Any]) -> datetime | None:
    return _moment(_terminated(pod, status).get("finishedAt"))


def _started(pod: Manifest, status: Mapping[str, Any]) -> datetime | None:
    running = _state(pod, status).get("running") or {}
    return _moment(running.get("startedAt"))


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
