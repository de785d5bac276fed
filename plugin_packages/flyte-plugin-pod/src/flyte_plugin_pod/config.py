"""What the section ``plugins.pod`` of the configuration may say: upstream's keys of ``plugins.k8s`` and
``plugins.logs``, as far as a pod template (``pod-templates``) does not say the same.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from flyte_core.errors import ConfigError
from flyte_plugin_pod.config_values import CONVERTERS, Wrong
from flyte_plugin_pod.copilot_config import CopilotConfig
from flyte_plugin_pod.log_config import LogConfig

SECTION = "plugins.pod"


def _key(name: str, default: Any = None, *, factory: Any = None, kind: str) -> Any:
    metadata = {"key": name, "kind": kind}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class PodConfig:
    """Settings of pods. The key of each setting is its name with ``-`` for ``_``.

    :ivar default_env_vars: environment of every container; the last to speak, as upstream has it
    :ivar default_env_vars_from_env: variable of containers → variable of this process, read once at start
    :ivar default_env_from_configmaps: names of ConfigMaps whose entries become environment, where they exist
    :ivar default_env_from_secrets: the same of Secrets
    :ivar default_annotations: of every pod, beneath all others
    :ivar default_labels: of every pod, beneath all others
    :ivar default_cpus: request where nobody asks for any, the execution neither; empty for none
    :ivar default_memory: the same of memory
    :ivar default_node_selector: of every pod, beneath the pod's own
    :ivar default_tolerations: of every pod
    :ivar interruptible_node_selector: of interruptible attempts
    :ivar interruptible_node_selector_requirement: node affinity of interruptible attempts
    :ivar non_interruptible_node_selector_requirement: node affinity of all other attempts
    :ivar interruptible_tolerations: of interruptible attempts
    :ivar resource_tolerations: resource name → tolerations of pods that ask for it
    :ivar gpu_resource_name: what a GPU is called in resources
    :ivar gpu_device_node_label: node label with the kind of accelerator
    :ivar gpu_partition_size_node_label: node label with the size of its partition
    :ivar image_pull_policy: of every container without one; empty leaves it to the cluster
    :ivar create_container_error_grace_period: seconds for which ``CreateContainerError`` is waited out
    :ivar create_container_config_error_grace_period: the same of ``CreateContainerConfigError``
    :ivar image_pull_backoff_grace_period: the same of ``ImagePullBackOff``
    :ivar pod_pending_timeout: seconds after which a pod that does not start fails; 0 for never
    :ivar pod_templates: name → PodTemplate's ``template`` (metadata and spec), for tasks that name one
    :ivar default_pod_template_name: template of tasks that name none; empty for none
    :ivar co_pilot: containers that download inputs and upload outputs of tasks with ``data_config``
    :ivar logs: links to logs
    """

    default_env_vars: Mapping[str, str] = _key("default-env-vars", factory=dict, kind="texts")
    default_env_vars_from_env: Mapping[str, str] = _key("default-env-vars-from-env", factory=dict, kind="texts")
    default_env_from_configmaps: tuple[str, ...] = _key("default-env-from-configmaps", (), kind="names")
    default_env_from_secrets: tuple[str, ...] = _key("default-env-from-secrets", (), kind="names")
    default_annotations: Mapping[str, str] = _key(
        "default-annotations",
        factory=lambda: {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
        kind="texts",
    )
    default_labels: Mapping[str, str] = _key("default-labels", factory=dict, kind="texts")
    default_cpus: str = _key("default-cpus", "", kind="quantity")
    default_memory: str = _key("default-memory", "", kind="quantity")
    default_node_selector: Mapping[str, str] = _key("default-node-selector", factory=dict, kind="texts")
    default_tolerations: tuple[Mapping[str, Any], ...] = _key("default-tolerations", (), kind="objects")
    interruptible_node_selector: Mapping[str, str] = _key("interruptible-node-selector", factory=dict, kind="texts")
    interruptible_node_selector_requirement: Mapping[str, Any] = _key(
        "interruptible-node-selector-requirement", factory=dict, kind="object"
    )
    non_interruptible_node_selector_requirement: Mapping[str, Any] = _key(
        "non-interruptible-node-selector-requirement", factory=dict, kind="object"
    )
    interruptible_tolerations: tuple[Mapping[str, Any], ...] = _key("interruptible-tolerations", (), kind="objects")
    resource_tolerations: Mapping[str, tuple[Mapping[str, Any], ...]] = _key(
        "resource-tolerations", factory=dict, kind="objects by name"
    )
    gpu_resource_name: str = _key("gpu-resource-name", "nvidia.com/gpu", kind="text")
    gpu_device_node_label: str = _key("gpu-device-node-label", "k8s.amazonaws.com/accelerator", kind="text")
    gpu_partition_size_node_label: str = _key(
        "gpu-partition-size-node-label", "k8s.amazonaws.com/gpu-partition-size", kind="text"
    )
    image_pull_policy: str = _key("image-pull-policy", "", kind="text")
    create_container_error_grace_period: float = _key("create-container-error-grace-period", 180.0, kind="seconds")
    create_container_config_error_grace_period: float = _key(
        "create-container-config-error-grace-period", 0.0, kind="seconds"
    )
    image_pull_backoff_grace_period: float = _key("image-pull-backoff-grace-period", 180.0, kind="seconds")
    pod_pending_timeout: float = _key("pod-pending-timeout", 0.0, kind="seconds")
    pod_templates: Mapping[str, Mapping[str, Any]] = _key("pod-templates", factory=dict, kind="object by name")
    default_pod_template_name: str = _key("default-pod-template-name", "", kind="text")
    co_pilot: CopilotConfig = field(default_factory=CopilotConfig, metadata={"key": "co-pilot", "kind": "co-pilot"})
    logs: LogConfig = field(default_factory=LogConfig, metadata={"key": "logs", "kind": "logs"})

    @classmethod
    def parse(cls, section: Mapping[str, Any]) -> PodConfig:
        """Read the section.

        :raises flyte_core.errors.ConfigError: naming every key that does not exist or whose value is of the wrong kind
        """
        known = {item.metadata["key"]: item for item in fields(cls)}
        values: dict[str, Any] = {}
        problems: list[str] = []
        for key, value in section.items():
            if key not in known:
                problems.append(f"{SECTION} has no key {key!r}{_nearest(key, known)}")
                continue
            item = known[key]
            try:
                values[item.name] = _convert(item.metadata["kind"], value)
            except Wrong as error:
                problems.append(f"{SECTION}.{key}{error}")
        default = values.get("default_pod_template_name")
        if default and default not in values.get("pod_templates", {}):
            problems.append(f"{SECTION}.default-pod-template-name: {default!r} is not among pod-templates")
        if problems:
            raise ConfigError("; ".join(problems))
        return cls(**values)

    def environment(self) -> dict[str, str]:
        """Return the environment that the configuration gives to every container."""
        taken = {name: os.environ.get(source, "") for name, source in self.default_env_vars_from_env.items()}
        return {**self.default_env_vars, **taken}


def _convert(kind: str, value: Any) -> Any:
    return {**CONVERTERS, "co-pilot": CopilotConfig.parse, "logs": LogConfig.parse}[kind](value)


def _nearest(key: object, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(str(key).replace("_", "-"), known, n=1)
    if near:
        return f": did you mean {near[0]!r}?"
    return f"; keys are {', '.join(sorted(known))}"
