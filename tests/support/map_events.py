"""Events of maps: how many elements one event tells of is chance, what is told of each element is not."""

from __future__ import annotations

from typing import Any

MAP = "container_array"
"""Type of the task execution that stands for all elements of a map."""


def is_map_progress(event: dict[str, Any]) -> bool:
    """Return whether the event is one of those between the first and the last of a map."""
    return bool(event.get("taskType") == MAP and event["phase"] == "RUNNING")


def without_map_progress(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the other events."""
    return [event for event in events if not is_map_progress(event)]


def map_progress(events: list[dict[str, Any]]) -> dict[int, list[Any]]:
    """Return what is told of each element in turn; that one still is as it was is left out."""
    told: dict[int, list[Any]] = {}
    for event in filter(is_map_progress, events):
        for element in event["metadata"]["externalResources"]:
            known = told.setdefault(element.get("index", 0), [])
            if element not in known:
                known.append(element)
    return told
