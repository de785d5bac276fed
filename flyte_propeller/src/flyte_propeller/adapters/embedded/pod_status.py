"""Writes pod status as a kubelet does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

State = dict[str, Any]
"""State of a container: one of ``waiting``, ``running``, ``terminated``."""

TAIL_BYTES = 2048
"""Of the log that becomes the termination message (FallbackToLogsOnError)."""


class Cause(NamedTuple):
    """Why a pod was ended that did not end by itself: reason and message of its status."""

    reason: str
    message: str


def now() -> str:
    """Return the current time as Kubernetes prints it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waiting(pod: Mapping[str, Any], reason: str, message: str) -> dict[str, Any]:
    """Return the status of a pod whose containers cannot start."""
    state = {"waiting": {"reason": reason, "message": message}}
    return _status(pod, "Pending", {container["name"]: state for container in _containers(pod)})


def running(started: str) -> State:
    """Return the state of a container that runs."""
    return {"running": {"startedAt": started}}


def terminated(code: int, started: str, message: str, reason: str = "") -> State:
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


def alive(pod: Mapping[str, Any], states: Mapping[str, State], started: str) -> dict[str, Any]:
    """Return the status of a pod of which a container runs."""
    return {**_status(pod, "Running", states), "startTime": started}


def ended(
    pod: Mapping[str, Any], states: Mapping[str, State], started: str, primary: str = "", cause: Cause | None = None
) -> dict[str, Any]:
    """Return the status of a pod whose containers have all ended.

    :param primary: the container that decides; empty: all of them do
    :param cause: why the pod was ended, where it did not end by itself
    """
    deciding = [state for name, state in states.items() if name == primary] or list(states.values())
    good = cause is None and all(state["terminated"]["exitCode"] == 0 for state in deciding)
    status = {**_status(pod, "Succeeded" if good else "Failed", states), "startTime": started}
    if cause is not None:
        status |= {"reason": cause.reason, "message": cause.message}
    return status


def lost(pod: Mapping[str, Any], message: str) -> dict[str, Any]:
    """Return the status of a pod that this machine has lost track of: its containers say nothing any more."""
    return {**_status(pod, "Failed", {}), "reason": "NodeShutdown", "message": f"the kubelet failed: {message}"}


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


def _status(pod: Mapping[str, Any], phase: str, states: Mapping[str, State]) -> dict[str, Any]:
    images = {container["name"]: container.get("image", "") for container in _containers(pod)}
    return {
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
