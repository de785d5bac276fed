"""What the ``plugins.pod`` section of the configuration may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from flyte_core.errors import ConfigError

KUBERNETES_LOGS = "http://localhost:30082/#!/log/{{ .namespace }}/{{ .podName }}/pod?namespace={{ .namespace }}"
"""Upstream's default link."""


@dataclass(frozen=True, slots=True)
class PodConfig:
    """Settings of pods.

    :ivar env: environment of every container, after the platform's and before the template's
    :ivar annotations: of every pod
    :ivar labels: of every pod, beneath the execution's
    :ivar log_name: name of the log link
    :ivar log_template: URI of the log link; ``{{ .namespace }}``, ``{{ .podName }}``, ``{{ .containerName }}``, …
    :ivar interruptible_tolerations: tolerations of interruptible attempts
    :ivar interruptible_node_selector: node selector of interruptible attempts
    :ivar image_pull_policy: Kubernetes' field; empty leaves it to the cluster
    """

    env: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(
        default_factory=lambda: {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    )
    labels: Mapping[str, str] = field(default_factory=dict)
    log_name: str = "Kubernetes Logs (User)"
    log_template: str = KUBERNETES_LOGS
    interruptible_tolerations: tuple[Mapping[str, Any], ...] = ()
    interruptible_node_selector: Mapping[str, str] = field(default_factory=dict)
    image_pull_policy: str = ""

    @classmethod
    def parse(cls, section: Mapping[str, Any]) -> PodConfig:
        """Read the section.

        :raises flyte_core.errors.ConfigError: naming a key that does not exist
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(section) - known)
        if unknown:
            raise ConfigError(f"plugins.pod has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        values = dict(section)
        if "interruptible_tolerations" in values:
            values["interruptible_tolerations"] = tuple(values["interruptible_tolerations"])
        return cls(**values)
