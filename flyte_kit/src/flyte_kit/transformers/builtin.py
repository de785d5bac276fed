"""Registers the transformers of Python's own types."""

from __future__ import annotations

import types

from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.transformers.choices import EnumTransformer, LiteralTypeTransformer
from flyte_kit.transformers.collections import DictTransformer, ListTransformer
from flyte_kit.transformers.messages import ProtobufTransformer
from flyte_kit.transformers.primitives import SIMPLE
from flyte_kit.transformers.restricted import RESTRICTED
from flyte_kit.transformers.streams import BinaryIOTransformer, TextIOTransformer
from flyte_kit.transformers.unions import UnionTransformer


def register_all() -> None:
    """Register them; done once, when the type engine is loaded."""
    for transformer in SIMPLE:
        TypeEngine.register(transformer, [None] if transformer.python_type is type(None) else None)
    TypeEngine.register(ListTransformer())
    TypeEngine.register(UnionTransformer(), [types.UnionType])
    TypeEngine.register(DictTransformer())
    TypeEngine.register(TextIOTransformer())
    TypeEngine.register(BinaryIOTransformer())
    TypeEngine.register(EnumTransformer())
    TypeEngine.register(LiteralTypeTransformer())
    TypeEngine.register(ProtobufTransformer())
    for restricted in RESTRICTED:
        TypeEngine.register(restricted)
