"""Links to logs in the configuration: upstream's section ``plugins.logs``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flyteidl.core.execution_pb2 import TaskLog

from flyte_plugin_pod.config_values import Wrong, by_name, flag, mapping, mappings, names, text

KUBERNETES_URI = "http://localhost:30082/#!/log/{{ .namespace }}/{{ .podName }}/pod?namespace={{ .namespace }}"
"""Upstream's default link."""
_TEMPLATE_KEYS = ("displayName", "templateUris", "messageFormat", "showWhilePending", "hideOnceFinished")


@dataclass(frozen=True, slots=True)
class LogTemplate:
    """One link.

    :ivar name: as the console shows it
    :ivar uris: templates; each gives a link
    :ivar message_format: ``TaskLog.MessageFormat``
    :ivar while_pending: give the link before the pod runs too
    :ivar once_finished: give the link after its end too
    """

    name: str
    uris: tuple[str, ...]
    message_format: TaskLog.MessageFormat = TaskLog.UNKNOWN
    while_pending: bool = False
    once_finished: bool = True

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> LogTemplate:
        """Read one of ``templates``."""
        unknown = sorted(set(value) - set(_TEMPLATE_KEYS))
        if unknown:
            raise Wrong(f": there is no key {unknown[0]!r}; keys are {', '.join(_TEMPLATE_KEYS)}")
        form = text(value.get("messageFormat", "unknown")).upper()
        if form not in TaskLog.MessageFormat.keys():  # noqa: SIM118 - an enum of protobuf, no dict
            raise Wrong(f".messageFormat: {form.lower()!r} is none of unknown, csv, json")
        return cls(
            name=text(value.get("displayName", "")),
            uris=names(value.get("templateUris", ())),
            message_format=TaskLog.MessageFormat.Value(form),
            while_pending=flag(value.get("showWhilePending", False)),
            once_finished=not flag(value.get("hideOnceFinished", False)),
        )


@dataclass(frozen=True, slots=True)
class LogConfig:
    """All links.

    :ivar templates: of every task
    :ivar by_link_type: of tasks whose config names the type in ``link_type``
    """

    templates: tuple[LogTemplate, ...] = (
        LogTemplate("Kubernetes Logs", (KUBERNETES_URI,), TaskLog.JSON, while_pending=True),
    )
    by_link_type: Mapping[str, LogTemplate] | None = None

    @classmethod
    def parse(cls, value: Any) -> LogConfig:
        """Read the section ``logs``."""
        section = dict(mapping(value))
        enabled = flag(section.pop("kubernetes-enabled", True))
        uri = text(section.pop("kubernetes-template-uri", KUBERNETES_URI))
        given = mappings(section.pop("templates", ()))
        dynamic = by_name(lambda item: LogTemplate.parse(mapping(item)))(section.pop("dynamic-log-links", {}))
        if section:
            known = "kubernetes-enabled, kubernetes-template-uri, templates, dynamic-log-links"
            raise Wrong(f": there is no key {min(section)!r}; keys are {known}")
        builtin = (LogTemplate("Kubernetes Logs", (uri,), TaskLog.JSON, while_pending=True),) if enabled else ()
        return cls((*builtin, *(LogTemplate.parse(template) for template in given)), dynamic)
