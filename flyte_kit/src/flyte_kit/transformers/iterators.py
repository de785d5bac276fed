"""Iterators: as lists, and JSON values as JSON Lines files."""

from __future__ import annotations

import collections.abc
import json
import typing
from collections.abc import Iterator
from typing import Any, get_args

from flyteidl.core.literals_pb2 import Literal, LiteralCollection
from flyteidl.core.types_pb2 import BlobType, LiteralType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformer
from flyte_kit.transformers.one_file import OneFileTransformer
from flyte_kit.types.iterator import JSON, FlyteIterator

_json: Any = JSON
_JSON_LINES: Any = typing.Iterator[_json]


class IteratorTransformer(TypeTransformer[Iterator[Any]]):
    """``Iterator[T]``: a list on the wire, converted element by element when it is read."""

    def __init__(self) -> None:
        super().__init__("Typed Iterator", typing.Iterator, enable_type_assertions=False)

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the collection of the elements' type."""
        return LiteralType(collection_type=TypeEngine.to_literal_type(get_args(t)[0]))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Write every element."""
        literals = TypeEngine.encode_all(ctx, python_val, get_args(python_type)[0], expected.collection_type)
        return Literal(collection=LiteralCollection(literals=literals))

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> FlyteIterator:
        """Return the elements, to be read one by one."""
        if lv.WhichOneof("value") != "collection":
            self.refuse(lv, expected_python_type)
        element = get_args(expected_python_type)[0]
        return FlyteIterator(lv.collection.literals, lambda each: TypeEngine.to_python_value(ctx, each, element))


class JSONIteratorTransformer(OneFileTransformer):
    """``Iterator[JSON]``: a JSON Lines file."""

    format = "jsonl"
    note = "json iterator"

    def __init__(self) -> None:
        super().__init__("JSON Iterator", _JSON_LINES, enable_type_assertions=False)

    def assert_type(self, t: Any, v: Any) -> None:
        """Take everything that can be iterated over."""

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return a blob, and what is in it."""
        result = LiteralType(blob=BlobType(format=self.format, dimensionality=BlobType.SINGLE))
        result.metadata.update({"format": self.note})
        return result

    def save(self, value: Any, path: str) -> None:
        """Write values, a line each.

        :raises ValueError: if there are none
        """
        count = 0
        with open(path, "w", encoding="utf-8") as file:
            for each in value:
                file.write(json.dumps(each) + "\n")
                count += 1
        if not count:
            raise ValueError("The iterator is empty.")

    def load(self, path: str) -> Iterator[Any]:
        """Read values one by one."""
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.strip():
                    yield json.loads(line)

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return ``Iterator[JSON]`` for its note."""
        if literal_type.blob.format == self.format and literal_type.metadata.fields["format"].string_value == self.note:
            return _JSON_LINES
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")


TypeEngine.register(IteratorTransformer(), [collections.abc.Iterator])
TypeEngine.register(JSONIteratorTransformer(), [collections.abc.Iterator[_json]])
