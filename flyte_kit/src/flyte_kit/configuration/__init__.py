"""Settings: what a serialized entity depends on, where the platform is, and how local runs behave."""

from flyte_kit.configuration.images import Image, ImageConfig
from flyte_kit.configuration.platform import AuthType, Config, LocalConfig, PlatformConfig, TaskConfig
from flyte_kit.configuration.serialization import (
    EntrypointSettings,
    FastSerializationSettings,
    SerializationSettings,
)

__all__ = [
    "AuthType",
    "Config",
    "EntrypointSettings",
    "FastSerializationSettings",
    "Image",
    "ImageConfig",
    "LocalConfig",
    "PlatformConfig",
    "SerializationSettings",
    "TaskConfig",
]
