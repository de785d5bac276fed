"""What a failure handler is told."""

from flyte_kit.types.error.error import FlyteError

__all__ = ["FlyteError"]
