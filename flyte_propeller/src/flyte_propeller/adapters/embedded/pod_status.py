"""Writes pod status as a kubelet does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TAIL_BYTES = 2048
"""Of the log that becomes the termination message (FallbackToLogsOnError)."""


def now() -> str:
    """Return the current time as Kubernetes prints it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waiting(pod: Mapping[str, Any], reason: str, message: str) -> dict[str, Any]:
    """Return the status of a pod whose containers cannot start."""
    states = {container["name"]: {"waiting": {"reason": reason, "message": message}} for container in _containers(pod)}
    return _status(pod, "Pending", states)


def running(pod: Mapping[str, Any], started: str) -> dict[str, Any]:
    """Return the status of a pod whose containers have started."""
    states = {container["name"]: {"running": {"startedAt": started}} for container in _containers(pod)}
    return {**_status(pod, "Running", states), "startTime": started}


def terminated(code: int, started: str, message: str, reason: str = "") -> dict[str, Any]:
    """Return the state of a container that has ended.

    :param code: negative: ended by that signal, which Kubernetes shows as 128 + signal
    """
    exit_code = 128 - code if code < 0 else code
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason or ("Completed" if exit_code == 0 else "Error"),
            "startedAt": started,
            "finishedAt": now(),
            **({"message": message} if message else {}),
        }
    }


def ended(pod: Mapping[str, Any], states: Mapping[str, Any], reason: str = "") -> dict[str, Any]:
    """Return the status of a pod whose containers have all ended.

    :param reason: of the pod, where it was not its containers that ended it
    """
    good = all(state.get("terminated", {}).get("exitCode") == 0 for state in states.values())
    status = _status(pod, "Succeeded" if good and not reason else "Failed", states)
    if reason:
        status["reason"] = reason
    return status


def tail(log: Path) -> str:
    """Return the end of a log, for the message of a container that failed."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((pod.get("spec") or {}).get("containers") or ())


def _status(pod: Mapping[str, Any], phase: str, states: Mapping[str, Any]) -> dict[str, Any]:
    images = {container["name"]: container.get("image", "") for container in _containers(pod)}
    known = pod.get("status") or {}
    status: dict[str, Any] = {
        "phase": phase,
        "containerStatuses": [
            {
                "name": name,
                "image": images.get(name, ""),
                "ready": "running" in state,
                "restartCount": 0,
                "state": state,
            }
            for name, state in states.items()
        ],
    }
    if "startTime" in known:
        status["startTime"] = known["startTime"]
    return status
