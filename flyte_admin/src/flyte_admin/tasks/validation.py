"""What a task must have to be registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flyteidl.admin.task_pb2 import TaskCreateRequest
from flyteidl.core.identifier_pb2 import ResourceType
from flyteidl.core.tasks_pb2 import TaskTemplate

from flyte_admin.registry.admission import check_entity_id
from flyte_admin.tasks.resources import check_resources
from flyte_core.errors import InvalidInput
from flyte_core.identifiers import check_name


@dataclass(frozen=True, slots=True)
class TaskRules:
    """The platform's say in which tasks may be registered.

    :ivar limits: most of each resource that a container may ask for, by upstream's name (``cpu``); none by default
    :ivar whitelist: task types that are bound to projects and domains, as (project, domain) pairs in which an empty
        part means any; a type that is not listed may be used everywhere
    """

    limits: Mapping[str, str] = field(default_factory=dict)
    whitelist: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def check_task(request: TaskCreateRequest, rules: TaskRules) -> None:
    """Refuse a task that could never run.

    :raises InvalidInput: naming the field
    """
    check_entity_id(request.id, "id", ResourceType.TASK)
    template = request.spec.template
    for name in ("interface", "metadata"):
        if not template.HasField(name):
            raise _missing(name)
    check_name(template.type, "spec.template.type")
    if template.metadata.HasField("runtime") and not template.metadata.runtime.version:
        raise _missing("metadata.runtime.version")
    _check_target(template, rules)
    _check_whitelist(request, rules)


def _check_target(template: TaskTemplate, rules: TaskRules) -> None:
    if template.HasField("container"):
        if not template.container.image:
            raise _missing("container.image")
        check_resources(template.container.resources, rules.limits, "spec.template.container.resources")
    if template.HasField("k8s_pod") and not template.k8s_pod.HasField("pod_spec"):
        raise _missing("k8s_pod.pod_spec")


def _check_whitelist(request: TaskCreateRequest, rules: TaskRules) -> None:
    allowed = rules.whitelist.get(request.spec.template.type)
    if allowed is None:
        return
    for project, domain in allowed:
        if project in ("", request.id.project) and domain in ("", request.id.domain):
            return
    raise InvalidInput(
        f"task type must be whitelisted before use: {request.spec.template.type!r} is not for project "
        f"[{request.id.project}] and domain [{request.id.domain}]",
        field="spec.template.type",
    )


def _missing(name: str) -> InvalidInput:
    return InvalidInput(f"missing spec.template.{name}", field=f"spec.template.{name}")
