"""Pods that failed: what is told to the user, and who is to blame."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flyteidl.core.execution_pb2 import ExecutionError, TaskLog

from flyte_core.phases import TaskPhase
from flyte_core.task_types import PhaseInfo
from flyte_plugin_pod.pod_status import PodStatus, exit_code, terminated, text

OOM_KILLED = "OOMKilled"
INTERRUPTED = "Interrupted"
LOST = frozenset({"Shutdown", "Terminated", "NodeShutdown", "NodeAffinity"})
"""Reasons of a pod whose machine went away."""
KILLED = frozenset({137, 247})
"""Exit codes of a process that somebody else ended."""
NO_MESSAGE = "Pod failed. No message received from kubernetes."


def failure_info(
    error: ExecutionError, logs: tuple[TaskLog, ...], at: datetime | None, *, retryable: bool = True
) -> PhaseInfo:
    """Return the report of a failure."""
    phase = TaskPhase.RETRYABLE_FAILURE if retryable else TaskPhase.PERMANENT_FAILURE
    return PhaseInfo(phase, error=error, logs=logs, occurred_at=at)


def out_of_memory(container: Mapping[str, Any]) -> bool:
    """Tell whether the container was ended because it took too much memory."""
    return OOM_KILLED in text(terminated(container).get("reason"))


def failed_primary(pod: PodStatus, primary: Mapping[str, Any]) -> ExecutionError | None:
    """Return the error of a primary container that has ended, None if it ended well."""
    ended = terminated(primary)
    if out_of_memory(primary):
        return _user(OOM_KILLED, _told(pod.primary, ended))
    if exit_code(ended) == 0:
        return None
    if exit_code(ended) in KILLED:
        return _system(_told(pod.primary, ended))
    return _user(text(ended.get("reason")) or "Error", _told(pod.primary, ended))


def failed_pod(pod: PodStatus) -> ExecutionError:
    """Return the error of a pod in phase Failed."""
    reason = text(pod.status.get("reason"))
    message = text(pod.status.get("message")) or NO_MESSAGE
    ended = [container for container in pod.containers if terminated(container)]
    message += "".join(_told(text(item.get("name")), terminated(item)) for item in ended)
    if any(out_of_memory(container) for container in ended):
        return _user(OOM_KILLED, message)
    if reason in LOST:
        return _system(message)
    if reason:
        return _user(reason, message)
    bad = [item for item in ended if exit_code(terminated(item)) != 0]
    # The primary container's end is the cause where it has failed; else the first one's that has.
    bad.sort(key=lambda item: item.get("name") != pod.primary)
    if not bad:
        # Nobody wrote down why: the machine was gone before it could.
        return _system(message)
    if bad[0].get("name") == pod.primary and exit_code(terminated(bad[0])) in KILLED:
        return _system(message)
    return _user(text(terminated(bad[0]).get("reason")) or "Error", message)


def _told(name: str, ended: Mapping[str, Any]) -> str:
    code = exit_code(ended)
    if code == 0:
        return f"\r\n[{name}] terminated with ExitCode 0."
    reason, message = text(ended.get("reason")), text(ended.get("message"))
    return f"\r\n[{name}] terminated with exit code ({code}). Reason [{reason}]. Message: \n{message}."


def _user(code: str, message: str) -> ExecutionError:
    return ExecutionError(code=code, message=message, kind=ExecutionError.USER)


def _system(message: str) -> ExecutionError:
    return ExecutionError(code=INTERRUPTED, message=message, kind=ExecutionError.SYSTEM)
