"""Files of inputs and outputs in the configuration: upstream's section ``plugins.k8s.co-pilot``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from flyte_plugin_pod.config_values import Wrong, mapping, quantity, seconds, text


@dataclass(frozen=True, slots=True)
class CopilotConfig:
    """The containers that download inputs and upload outputs. The key of each setting is its name with ``-`` for ``_``.

    :ivar image: has the program ``flyte-copilot`` of flyte-kit; a mere name on ``flyte up``
    :ivar name_prefix: of both containers
    :ivar default_input_path: where inputs are, if the task does not say
    :ivar default_output_path: the same of outputs
    :ivar input_vol_name: volume of the inputs
    :ivar output_vol_name: volume of the outputs
    :ivar cpu: request and limit of each container
    :ivar memory: the same of memory
    :ivar timeout: seconds that an upload may take
    """

    image: str = "flyte-copilot"
    name_prefix: str = "flyte-copilot-"
    default_input_path: str = "/var/flyte/inputs"
    default_output_path: str = "/var/flyte/outputs"
    input_vol_name: str = "flyte-inputs"
    output_vol_name: str = "flyte-outputs"
    cpu: str = "500m"
    memory: str = "128Mi"
    timeout: float = 3600.0

    @classmethod
    def parse(cls, value: Any) -> CopilotConfig:
        """Read the section ``co-pilot``."""
        known = {item.name.replace("_", "-"): item.name for item in fields(cls)}
        values: dict[str, Any] = {}
        for key, item in mapping(value).items():
            if key not in known:
                raise Wrong(f": there is no key {key!r}; keys are {', '.join(known)}")
            try:
                values[known[key]] = _reader(key)(item)
            except Wrong as error:
                raise Wrong(f".{key}{error}") from error
        return cls(**values)


def _reader(key: str) -> Callable[[Any], Any]:
    readers: Mapping[str, Callable[[Any], Any]] = {"cpu": quantity, "memory": quantity, "timeout": seconds}
    return readers.get(key, text)
