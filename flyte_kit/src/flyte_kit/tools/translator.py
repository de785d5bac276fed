"""``get_serializable`` under flytekit's name."""

from flyte_kit.serialization.entities import Entities, get_serializable

__all__ = ["Entities", "get_serializable"]
