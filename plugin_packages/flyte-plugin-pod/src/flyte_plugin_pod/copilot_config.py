"""Files of inputs and outputs in the configuration: upstream's section ``plugins.k8s.co-pilot``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from flyte_plugin_pod.config_values import Wrong, mapping, quantity, seconds, text


@dataclass(frozen=True, slots=True)
class CopilotConfig:
    """The containers that download inputs and upload outputs. Keys of ``co-pilot``.

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

    image: str = field(default="flyte-copilot", metadata={"key": "image"})
    name_prefix: str = field(default="flyte-copilot-", metadata={"key": "name-prefix"})
    default_input_path: str = field(default="/var/flyte/inputs", metadata={"key": "default-input-path"})
    default_output_path: str = field(default="/var/flyte/outputs", metadata={"key": "default-output-path"})
    input_vol_name: str = field(default="flyte-inputs", metadata={"key": "input-vol-name"})
    output_vol_name: str = field(default="flyte-outputs", metadata={"key": "output-vol-name"})
    cpu: str = field(default="500m", metadata={"key": "cpu"})
    memory: str = field(default="128Mi", metadata={"key": "memory"})
    timeout: float = field(default=3600.0, metadata={"key": "timeout"})

    @classmethod
    def parse(cls, value: Any) -> CopilotConfig:
        """Read the section ``co-pilot``."""
        known = {str(item.metadata["key"]): item.name for item in fields(cls)}
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
