"""What every part of a serialization knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flyteidl.core.identifier_pb2 import Identifier

from flyte_kit.configuration.serialization import SerializationSettings
from flyte_kit.core.options import Options


@dataclass(frozen=True)
class Scope:
    """Settings, and the way to the messages of other entities.

    :ivar add: returns the message of an entity
    """

    settings: SerializationSettings
    options: Options
    add: Callable[..., Any]

    def identifier(self, resource_type: int, name: str) -> Identifier:
        """Return the id that an entity of this registration has."""
        settings = self.settings
        return Identifier(
            resource_type=resource_type,
            project=settings.project or "",
            domain=settings.domain or "",
            name=name,
            version=settings.version or "",
        )

    def with_settings(self, settings: SerializationSettings) -> Scope:
        """Return the scope with other settings."""
        return replace(self, settings=settings)
