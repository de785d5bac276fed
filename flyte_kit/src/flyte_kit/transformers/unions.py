"""``Union`` and ``Optional``: the value, and the type of the variant that it was written as."""

from __future__ import annotations

import types
import typing
from typing import Any, get_args, get_origin

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType, TypeStructure, UnionType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformer, TypeTransformerFailedError, get_underlying_type
from flyte_kit.loggers import logger
from flyte_kit.transformers.casting import castable

_REFUSALS = (TypeError, ValueError, AssertionError, AttributeError, KeyError, OSError, OverflowError)
"""What a transformer may raise for a value that is not its own; a union takes it as "not this variant"."""


def is_union(t: Any) -> bool:
    """Tell whether a type is ``Union[…]``, ``Optional[…]`` or ``A | B``."""
    return get_origin(t) is typing.Union or isinstance(t, types.UnionType)


def variants_of(t: Any) -> tuple[Any, ...]:
    """Return the types that a union joins."""
    return get_args(get_underlying_type(t))


class UnionTransformer(TypeTransformer[Any]):
    """Writes a value as the one variant that takes it."""

    does_io = True

    def __init__(self) -> None:
        super().__init__("Typed Union", typing.Union)
        self._types: dict[tuple[str, Any], LiteralType] = {}

    @staticmethod
    def is_optional_type(t: Any) -> bool:
        """Tell whether None is one of the variants."""
        bare = get_underlying_type(t)
        return is_union(bare) and type(None) in get_args(bare)

    @staticmethod
    def get_sub_type_in_optional(t: Any) -> Any:
        """Return the first variant."""
        return variants_of(t)[0]

    def assert_type(self, t: Any, v: Any) -> None:
        """Check that one variant takes the value."""
        if not is_union(get_underlying_type(t)):
            return
        for variant in variants_of(t):
            if variant is Any:
                return
            transformer = TypeEngine.get_transformer(variant)
            if not transformer.type_assertions_enabled:
                return
            try:
                transformer.assert_type(variant, v)
            except (TypeTransformerFailedError, TypeError):
                continue
            return
        raise TypeTransformerFailedError(f"Value {v} is not of type {t}")

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the variants, each with its transformer's name."""
        variants = []
        for variant in variants_of(t):
            transformer = TypeEngine.get_transformer(variant)
            variants.append(_tagged(TypeEngine.to_literal_type(variant), transformer.name))
        return LiteralType(union_type=UnionType(variants=variants))

    def _variant_type(self, transformer: TypeTransformer[Any], variant: Any) -> LiteralType:
        try:
            known = self._types.get((transformer.name, variant))
        except TypeError:  # an annotation that cannot be hashed
            return _tagged(transformer.get_literal_type(variant), transformer.name)
        if known is None:
            known = _tagged(transformer.get_literal_type(variant), transformer.name)
            self._types[transformer.name, variant] = known
        return known

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write the value.

        :raises TypeTransformerFailedError: if no variant takes it, or several that are alike
        """
        matches: list[tuple[Any, TypeTransformer[Any], Literal]] = []
        for index, variant in enumerate(variants_of(python_type)):
            if (python_val is None) is not (variant is type(None)):
                continue
            transformer = TypeEngine.get_transformer(variant)
            wanted = expected.union_type.variants[index]
            try:
                literal = transformer.to_literal(ctx, python_val, variant, wanted)
            except _REFUSALS as error:
                logger.debug("%s is no %s: %s", python_val, variant, error)
                continue
            matches.append((variant, transformer, literal))
        variant, transformer, literal = _only(matches, python_val, python_type)
        result = Literal()
        result.scalar.union.value.CopyFrom(literal)
        result.scalar.union.type.CopyFrom(self._variant_type(transformer, variant))
        return result

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Read the value by the variant that it says it is; without that, by the one that takes it."""
        inner, tag, stored = lv, "", None
        if lv.scalar.WhichOneof("value") == "union":
            inner, stored = lv.scalar.union.value, lv.scalar.union.type
            tag = stored.structure.tag
        found: list[tuple[str, Any]] = []
        for variant in variants_of(expected_python_type):
            transformer = TypeEngine.get_transformer(variant)
            if tag and (transformer.name != tag or not castable(stored, TypeEngine.to_literal_type(variant))):
                continue
            try:
                found.append((transformer.name, TypeEngine.to_python_value(ctx, inner, variant)))
            except _REFUSALS as error:
                logger.debug("the literal is no %s: %s", variant, error)
        if len(found) > 1:
            raise TypeError(
                f"Ambiguous choice of variant for union type. Both {found[0][0]} and {found[1][0]} transformers match"
            )
        if not found:
            raise TypeTransformerFailedError(
                f"Cannot convert the literal to {expected_python_type} (its tag is {tag!r})"
            )
        return found[0][1]

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return the union of what the variants are guessed to be."""
        if literal_type.WhichOneof("type") == "union_type":
            return typing.Union[tuple(TypeEngine.guess_python_type(v) for v in literal_type.union_type.variants)]  # noqa: UP007 - a value
        raise ValueError(f"Union transformer cannot reverse {literal_type}")


def _only(
    matches: list[tuple[Any, TypeTransformer[Any], Literal]], value: Any, python_type: Any
) -> tuple[Any, TypeTransformer[Any], Literal]:
    if not matches:
        raise TypeTransformerFailedError(f"Cannot convert from {value} to {python_type}")
    if len(matches) == 1:
        return matches[0]
    # Text is text, even where an enum has the same; every other tie could not be told apart when it is read.
    exact = [match for match in matches if match[0] is str] if type(value) is str else []
    if len(exact) == 1:
        return exact[0]
    raise TypeError(
        f"Ambiguous choice of variant for union type.\nPotential types: {[match[0] for match in matches]}\n"
        "These types are structurally the same, because it's attributes have the same names and associated types."
    )


def _tagged(literal_type: LiteralType, tag: str) -> LiteralType:
    result = LiteralType()
    result.CopyFrom(literal_type)
    result.structure.CopyFrom(TypeStructure(tag=tag))
    return result
