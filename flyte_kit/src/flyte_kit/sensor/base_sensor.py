"""Base of tasks that look again and again until something is there; a connector runs them, without a container."""

from __future__ import annotations

import datetime
import inspect
import time
import typing
from typing import Any, Protocol

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.base_task import PythonTask, TaskMetadata
from flyte_kit.core.constants import wire_name
from flyte_kit.core.interface import Interface
from flyte_kit.core.type_transformer import run_coroutine

LOCAL_PAUSE_SECONDS = 1.0


class SensorConfig(Protocol):
    """Settings of a sensor that go to its connector."""

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON-like data."""
        ...

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> SensorConfig:
        """Read them from JSON-like data."""
        ...


class BaseSensor(PythonTask[Any]):
    """A sensor: subclass it with an async ``poke``, whose parameters are the inputs.

    :param timeout: after which it fails; a number means seconds
    """

    def __init__(
        self,
        name: str,
        timeout: datetime.timedelta | int | None = None,
        sensor_config: SensorConfig | None = None,
        task_type: str = "sensor",
        **kwargs: Any,
    ) -> None:
        hints = typing.get_type_hints(self.poke, include_extras=True)
        inputs = {parameter: hints.get(parameter) for parameter in inspect.signature(self.poke).parameters}
        metadata: TaskMetadata = kwargs.pop("metadata", None) or TaskMetadata()
        if timeout is not None:
            if metadata.timeout is not None:
                raise ValueError("You cannot set both timeout and metadata parameters at the same time in the sensor")
            metadata = TaskMetadata(timeout=timeout)
        super().__init__(
            task_type=task_type,
            name=name,
            task_config=None,
            interface=Interface(inputs=inputs),
            metadata=metadata,
            **kwargs,
        )
        self._sensor_config = sensor_config

    async def poke(self, **kwargs: Any) -> bool:
        """Tell whether it is there."""
        raise NotImplementedError(f"{type(self).__name__}.poke is missing")

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        """Return where the class is, and its settings."""
        return {
            "sensor_module": wire_name(type(self).__module__),
            "sensor_name": type(self).__name__,
            "sensor_config": self._sensor_config.to_dict() if self._sensor_config else None,
            "inputs": None,
        }

    def execute(self, **kwargs: Any) -> None:
        """Look until it is there, on this machine."""
        limit = self.metadata.duration
        end = time.monotonic() + limit.total_seconds() if limit else None
        while not run_coroutine(self.poke(**kwargs)):
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"{self.name}: nothing came within {limit}")
            time.sleep(LOCAL_PAUSE_SECONDS)
