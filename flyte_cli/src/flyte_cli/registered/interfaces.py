"""What is registered, in words: signatures, images, resources, schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flyteidl.admin.schedule_pb2 import FixedRateUnit, Schedule
from flyteidl.core.interface_pb2 import ParameterMap, VariableMap
from flyteidl.core.tasks_pb2 import Resources, TaskTemplate
from google.protobuf.json_format import MessageToDict

from flyte_cli.showing.literal_values import literal_text
from flyte_core.literals import type_text


def variables_text(variables: VariableMap) -> Iterator[tuple[str, str]]:
    """Yield name and type of each input or output."""
    for name, variable in sorted(variables.variables.items()):
        told = variable.description if variable.description != name else ""  # flytekit writes the name there
        yield name, f"{type_text(variable.type)}  {told}".rstrip()


def parameters_text(parameters: ParameterMap) -> Iterator[tuple[str, str]]:
    """Yield name, type and default of each input that a launch plan takes."""
    for name, parameter in sorted(parameters.parameters.items()):
        kind = type_text(parameter.var.type)
        match parameter.WhichOneof("behavior"):
            case "default":
                yield name, f"{kind} = {literal_text(parameter.default)}"
            case "required" if parameter.required:
                yield name, f"{kind}, required"
            case _:
                yield name, kind


def image_of(template: TaskTemplate) -> str:
    """Return the image that a task runs in; of a pod that of its primary container; empty where there is none."""
    if template.WhichOneof("target") != "k8s_pod":
        return str(template.container.image)
    return str(_primary_container(template).get("image", ""))


def resources_of(template: TaskTemplate) -> dict[str, dict[str, str]]:
    """Return the resources that a task asks for: ``{"requests": {"cpu": "1"}, "limits": {}}``."""
    if template.WhichOneof("target") == "k8s_pod":
        found: Mapping[str, Any] = _primary_container(template).get("resources", {})
        return {part: dict(found.get(part, {})) for part in ("requests", "limits")}
    resources = template.container.resources
    return {"requests": _entries(resources.requests), "limits": _entries(resources.limits)}


def resources_text(template: TaskTemplate) -> str:
    """Return them in one line; empty where none are asked for."""
    parts = []
    for part, entries in resources_of(template).items():
        if entries:
            parts.append(f"{part}: " + ", ".join(f"{name} {value}" for name, value in entries.items()))
    return "; ".join(parts)


def _entries(entries: Any) -> dict[str, str]:
    return {Resources.ResourceName.Name(each.name).lower(): str(each.value) for each in entries}


def _primary_container(template: TaskTemplate) -> dict[str, Any]:
    spec = MessageToDict(template.k8s_pod.pod_spec)
    wanted = template.config.get("primary_container_name", "")
    containers: list[dict[str, Any]] = spec.get("containers", [])
    return next((each for each in containers if each.get("name") == wanted), containers[0] if containers else {})


def schedule_text(schedule: Schedule) -> str:
    """Return a schedule in one line; empty where there is none."""
    match schedule.WhichOneof("ScheduleExpression"):
        case "rate":
            return f"every {schedule.rate.value} {FixedRateUnit.Name(schedule.rate.unit).lower()}(s)"
        case "cron_schedule":
            offset = f" offset {schedule.cron_schedule.offset}" if schedule.cron_schedule.offset else ""
            return f"cron {schedule.cron_schedule.schedule}{offset}"
        case "cron_expression":
            return f"cron {schedule.cron_expression}"
        case _:
            return ""
