"""Waiting for a file."""

from __future__ import annotations

import datetime
from typing import Any

from flyte_kit.core.context_manager import FlyteContextManager
from flyte_kit.sensor.base_sensor import BaseSensor


class FileSensor(BaseSensor):
    """Waits until there is an object at ``path``."""

    def __init__(self, name: str, timeout: datetime.timedelta | int | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, timeout=timeout, **kwargs)

    async def poke(self, path: str) -> bool:  # type: ignore[override]
        """Tell whether it is there."""
        return FlyteContextManager.current_context().file_access.exists(path)
