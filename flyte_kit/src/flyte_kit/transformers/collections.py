"""Lists and dictionaries."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, get_args, get_origin

import msgpack
from flyteidl.core.literals_pb2 import Literal, LiteralCollection
from flyteidl.core.types_pb2 import LiteralType, SimpleType
from google.protobuf.json_format import MessageToDict

from flyte_kit.core.annotation import FlyteAnnotation
from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_forms import dict_of, list_of
from flyte_kit.core.type_transformer import (
    TypeTransformer,
    TypeTransformerFailedError,
    annotations_of,
    get_underlying_type,
    packed,
    structures,
)
from flyte_kit.transformers.old_encoding import as_struct, wants_old_encoding
from flyte_kit.transformers.structure_types import struct_type

PICKLE_KEY = "pickle_file"


class ListTransformer(TypeTransformer[list[Any]]):
    """``List[T]``: one type for all elements."""

    def __init__(self) -> None:
        super().__init__("Typed List", list, enable_type_assertions=False)

    @staticmethod
    def get_sub_type(t: Any) -> Any:
        """Return the type of the elements.

        :raises ValueError: for a bare ``list``
        """
        found = ListTransformer.get_sub_type_or_none(t)
        if found is None:
            raise ValueError(f"Only generic univariate typing.List[T] type is supported, not {t}: say what it holds.")
        return found

    @staticmethod
    def get_sub_type_or_none(t: Any) -> Any:
        """Return the type of the elements; None for a bare ``list``."""
        bare = get_underlying_type(t)
        return get_args(bare)[0] if get_origin(bare) is list and get_args(bare) else None

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the collection of the elements' type."""
        return LiteralType(collection_type=TypeEngine.to_literal_type(self.get_sub_type(t)))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write every element."""
        if type(python_val) is not list:
            raise TypeTransformerFailedError(f"Expected a list, got {type(python_val)}")
        element = expected.collection_type
        literals = TypeEngine.encode_all(ctx, python_val, self.get_sub_type(python_type), element)
        return Literal(collection=LiteralCollection(literals=literals))

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> list[Any]:
        """Read every element."""
        if lv.scalar.WhichOneof("value") == "binary":
            return list(self.from_binary_idl(lv.scalar.binary, get_underlying_type(expected_python_type)))
        if lv.WhichOneof("value") != "collection":
            raise TypeTransformerFailedError(
                f"The expected python type is '{expected_python_type}' but the received Flyte literal value "
                "is not a collection (Flyte's representation of Python lists)."
            )
        return TypeEngine.decode_all(ctx, lv.collection.literals, self.get_sub_type(expected_python_type))

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return the list of what the elements' type is guessed to be."""
        if literal_type.WhichOneof("type") == "collection_type":
            element: Any = TypeEngine.guess_python_type(literal_type.collection_type)
            return list_of(element)
        raise ValueError(f"List transformer cannot reverse {literal_type}")


class DictTransformer(TypeTransformer[dict[Any, Any]]):
    """``Dict[str, T]`` as a map of literals; other dictionaries as a structure."""

    def __init__(self) -> None:
        super().__init__("Typed Dict", dict, enable_type_assertions=False)

    @staticmethod
    def extract_types(t: Any) -> tuple[Any, Any]:
        """Return the types of keys and values; None twice for a bare ``dict``.

        :raises ValueError: if it is annotated for the interface, which dictionaries cannot be
        """
        if any(isinstance(each, FlyteAnnotation) for each in annotations_of(t)):
            raise ValueError(f"FlyteAnnotations are not possible on dictionaries: {t}")
        arguments = get_args(get_underlying_type(t))
        return (arguments[0], arguments[1]) if len(arguments) == 2 else (None, None)

    @staticmethod
    def is_pickle(python_type: Any) -> bool:
        """Tell whether values that fit no structure may be pickled (``OrderedDict(allow_pickle=True)``)."""
        return any(
            bool(each.get("allow_pickle")) for each in annotations_of(python_type) if isinstance(each, OrderedDict)
        )

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a map for text keys, else a structure."""
        key, value = self.extract_types(t)
        if key is str:
            return LiteralType(map_value_type=TypeEngine.to_literal_type(value))
        return struct_type()

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write every value, or the whole as a structure."""
        if type(python_val) is not dict:
            raise TypeTransformerFailedError(f"Expected a dict, got {type(python_val)}")
        if expected is not None and expected.WhichOneof("type") == "simple" and expected.simple == SimpleType.STRUCT:
            return self._structure(ctx, python_val, python_type)
        if any(type(key) is not str for key in python_val):
            raise ValueError("Flyte MapType expects all keys to be strings")
        _, value_type = self.extract_types(python_type)
        literals = TypeEngine.encode_all(ctx, python_val.values(), value_type, expected.map_value_type)
        result = Literal()
        result.map.SetInParent()
        for key, literal in zip(python_val, literals, strict=True):
            result.map.literals[key].CopyFrom(literal)
        return result

    def _structure(self, ctx: FlyteContext, value: dict[Any, Any], python_type: Any) -> Literal:
        try:
            plain = structures().encode(value, get_underlying_type(python_type))
            literal = as_struct(plain, format="json") if wants_old_encoding() else packed(plain)
        except (TypeError, OverflowError) as error:
            if self.is_pickle(python_type):
                uri = TypeEngine.get_transformer(Any).to_literal(ctx, value, Any, LiteralType()).scalar.blob.uri
                return as_struct({PICKLE_KEY: uri}, format="pickle")
            raise TypeTransformerFailedError(
                f"Cannot convert `{value}` to Flyte Literal.\nError Message: {error}"
            ) from error
        return literal

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Read every value, or the whole from a structure."""
        bare = get_underlying_type(expected_python_type)
        kind = lv.WhichOneof("value")
        if kind == "scalar" and lv.scalar.WhichOneof("value") == "binary":
            return self.from_binary_idl(lv.scalar.binary, bare)
        if kind == "map":
            key, value_type = self.extract_types(expected_python_type)
            if key is not str:
                raise TypeTransformerFailedError(f"TypeMismatch: {bare} takes no map with text keys; use Dict[str, …].")
            values = TypeEngine.decode_all(ctx, lv.map.literals.values(), value_type)
            return dict(zip(lv.map.literals, values, strict=True))
        if kind == "scalar" and lv.scalar.WhichOneof("value") == "generic":
            plain = MessageToDict(lv.scalar.generic)
            if lv.metadata.get("format") == "pickle":
                return _unpickled(ctx, plain[PICKLE_KEY])
            # Numbers of a Struct are all floats; a round trip through MessagePack keeps what JSON would give.
            return structures().decode(msgpack.loads(msgpack.dumps(_whole_numbers(plain)), strict_map_key=False), bare)
        self.refuse(lv, expected_python_type)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return a dictionary of what the values' type is guessed to be, or a bare one."""
        if literal_type.WhichOneof("type") == "map_value_type":
            return dict_of(TypeEngine.guess_python_type(literal_type.map_value_type))
        if literal_type.simple == SimpleType.STRUCT and not literal_type.HasField("metadata"):
            return dict
        raise ValueError(f"Dictionary transformer cannot reverse {literal_type}")


def _unpickled(ctx: FlyteContext, uri: str) -> Any:
    literal = Literal()
    literal.scalar.blob.uri = uri
    return TypeEngine.get_transformer(Any).to_python_value(ctx, literal, Any)


def _whole_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(each) for each in value]
    return value
