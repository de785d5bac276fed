"""Tables; importing the engine registers it."""

from flyte_kit.types.structured.engine import DATASETS

__all__ = ["DATASETS"]
