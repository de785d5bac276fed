"""A pod's status, read without trust: any JSON is answered, also one that Kubernetes never writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flyte_core.cluster import Manifest

PRIMARY = "primary_container_name"
"""Annotation that names the container whose end is the task's."""


@dataclass(frozen=True, slots=True)
class PodStatus:
    """The parts of a pod that tell its phase.

    :ivar phase: ``status.phase``; empty before the cluster has looked at the pod
    :ivar primary: name of the primary container: the annotation's, else the first one's
    :ivar has_primary: the annotation is there
    :ivar containers: statuses of init containers and containers, in this order
    """

    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    phase: str
    primary: str
    has_primary: bool
    containers: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, pod: Manifest) -> PodStatus:
        """Read a pod."""
        metadata, spec, status = (mapping(pod.get(key)) for key in ("metadata", "spec", "status"))
        primary = text(mapping(metadata.get("annotations")).get(PRIMARY))
        first = (mappings(spec.get("containers")) or [{}])[0]
        statuses = [*mappings(status.get("initContainerStatuses")), *mappings(status.get("containerStatuses"))]
        return cls(
            metadata,
            spec,
            status,
            text(status.get("phase")),
            primary or text(first.get("name")),
            bool(primary),
            tuple(statuses),
        )

    def primary_status(self) -> Mapping[str, Any]:
        """Return the status of the primary container, empty where there is none."""
        return next((item for item in self.containers if item.get("name") == self.primary), {})

    def condition(self, kind: str) -> Mapping[str, Any]:
        """Return the condition of that type, empty where there is none."""
        listed = mappings(self.status.get("conditions"))
        return next((item for item in listed if item.get("type") == kind), {})

    def last_change(self) -> datetime | None:
        """Return when a container last started or ended, None where none has."""
        changes = []
        for container in self.containers:
            state = mapping(container.get("state"))
            changes.append(moment(mapping(state.get("running")).get("startedAt")))
            changes.append(moment(mapping(state.get("terminated")).get("finishedAt")))
        known = [change for change in changes if change is not None]
        return max(known, default=None)


def terminated(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how the container ended, empty while it has not."""
    return mapping(mapping(container.get("state")).get("terminated"))


def waiting(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the container waits for, empty where it does not."""
    return mapping(mapping(container.get("state")).get("waiting"))


def exit_code(ended: Mapping[str, Any]) -> int:
    """Return the exit code of :func:`terminated`; what is no number counts as a failure."""
    code = ended.get("exitCode", 0)
    if isinstance(code, int | float):
        return int(code)
    return 1


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value if it is a mapping, an empty one otherwise."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the mappings in a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def text(value: Any) -> str:
    """Return the value if it is a text, the empty one otherwise."""
    return value if isinstance(value, str) else ""


def moment(value: Any) -> datetime | None:
    """Return the time that a text of Kubernetes means, None where it means none."""
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
