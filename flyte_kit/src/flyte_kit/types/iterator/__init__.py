"""Values one after the other, without holding all of them."""

from flyte_kit.types.iterator.iterator import JSON, FlyteIterator

__all__ = ["JSON", "FlyteIterator"]
