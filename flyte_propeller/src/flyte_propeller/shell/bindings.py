"""Resolves a node's input bindings to literals: promises, attribute paths, collections, maps, unions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgpack
from flyteidl.core.literals_pb2 import (
    Binary,
    Binding,
    BindingData,
    BindingDataMap,
    Literal,
    LiteralCollection,
    LiteralMap,
    Primitive,
    Scalar,
    Union,
    Void,
)
from flyteidl.core.types_pb2 import OutputReference, PromiseAttribute
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

MSGPACK = "msgpack"

OutputsOf = Callable[[str], Awaitable[LiteralMap]]
"""Node id → its outputs. Raises :class:`Unresolvable` for a node that has none."""
ReadLiteral = Callable[[str], Awaitable[Literal]]
"""URI of an offloaded literal → the literal."""


class Unresolvable(Exception):
    """A binding that names something which is not there; the text names node, variable and path."""


async def resolve(bindings: Sequence[Binding], outputs_of: OutputsOf, read_literal: ReadLiteral) -> LiteralMap:
    """Return the literals for all bindings.

    :raises Unresolvable: at the first that cannot be resolved
    """
    resolved = LiteralMap()
    for binding in bindings:
        try:
            literal = await _resolve(binding.binding, outputs_of, read_literal)
        except Unresolvable as error:
            raise Unresolvable(f"Error binding Var [{binding.var}]: {error}") from error
        resolved.literals[binding.var].CopyFrom(literal)
    return resolved


async def _resolve(data: BindingData, outputs_of: OutputsOf, read_literal: ReadLiteral) -> Literal:
    match data.WhichOneof("value"):
        case "promise":
            return await _resolve_promise(data.promise, outputs_of, read_literal)
        case "scalar":
            if data.scalar.HasField("union"):
                return Literal(scalar=data.scalar)
            return _in_union(data, Literal(scalar=data.scalar))
        case "collection":
            items = [await _resolve(item, outputs_of, read_literal) for item in data.collection.bindings]
            return _in_union(data, Literal(collection=LiteralCollection(literals=items)))
        case "map":
            return _in_union(data, await _resolve_map(data.map, outputs_of, read_literal))
        case _:
            raise Unresolvable("the binding is empty")


async def _resolve_map(entries: BindingDataMap, outputs_of: OutputsOf, read_literal: ReadLiteral) -> Literal:
    literals = {key: await _resolve(value, outputs_of, read_literal) for key, value in entries.bindings.items()}
    return Literal(map=LiteralMap(literals=literals))


def _in_union(data: BindingData, literal: Literal) -> Literal:
    """Wrap the literal where the binding says that it is one case of a union."""
    if not data.HasField("union"):
        return literal
    return Literal(scalar=Scalar(union=Union(value=literal, type=data.union.targetType)))


async def _resolve_promise(promise: OutputReference, outputs_of: OutputsOf, read_literal: ReadLiteral) -> Literal:
    outputs = await outputs_of(promise.node_id)
    if promise.var not in outputs.literals:
        raise Unresolvable(f"node [{promise.node_id}] has no output [{promise.var}]")
    literal = outputs.literals[promise.var]
    if promise.attr_path:
        try:
            return await walk(literal, promise.attr_path, read_literal)
        except Unresolvable as error:
            where = "".join(f"[{_key(attribute)!r}]" for attribute in promise.attr_path)
            text = f"PromiseAttributeResolveError: {promise.node_id}.{promise.var}{where}: {error}"
            raise Unresolvable(text) from error
    return literal


async def walk(literal: Literal, path: Sequence[PromiseAttribute], read_literal: ReadLiteral) -> Literal:
    """Follow an attribute path through lists, maps, JSON structs and msgpack documents.

    :raises Unresolvable: if a step leads nowhere
    """
    for position, attribute in enumerate(path):
        if literal.HasField("offloaded_metadata"):
            literal = await read_literal(literal.offloaded_metadata.uri)
        key = _key(attribute)
        match literal.WhichOneof("value"):
            case "collection":
                literals = literal.collection.literals
                if not isinstance(key, int) or not 0 <= key < len(literals):
                    raise Unresolvable(f"index [{key}] of a list of {len(literals)}")
                literal = literals[key]
            case "map":
                if key not in literal.map.literals:
                    raise Unresolvable(f"key [{key}] is not in the map")
                literal = literal.map.literals[str(key)]
            case "scalar":
                return _walk_scalar(literal.scalar, [_key(rest) for rest in path[position:]])
            case other:
                raise Unresolvable(f"[{key}] of {other or 'nothing'}")
    return literal


def _key(attribute: PromiseAttribute) -> str | int:
    return int(attribute.int_value) if attribute.HasField("int_value") else str(attribute.string_value)


def _walk_scalar(scalar: Scalar, path: list[str | int]) -> Literal:
    if scalar.HasField("union"):
        inner = scalar.union.value
        if inner.WhichOneof("value") == "scalar":
            return _walk_scalar(inner.scalar, path)
    if scalar.HasField("generic"):
        return _from_json(_step_through(MessageToDict(scalar.generic), path))
    if scalar.HasField("binary"):
        if scalar.binary.tag != MSGPACK:
            raise Unresolvable(f"a binary with tag {scalar.binary.tag!r} has no attributes, only one with {MSGPACK!r}")
        document = msgpack.unpackb(scalar.binary.value, strict_map_key=False)
        packed = msgpack.packb(_step_through(document, path))
        return Literal(scalar=Scalar(binary=Binary(value=packed, tag=MSGPACK)))
    raise Unresolvable(f"a {scalar.WhichOneof('value')} has no attributes")


def _step_through(document: Any, path: list[str | int]) -> Any:
    for key in path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError) as error:
            raise Unresolvable(f"[{key}] is not there") from error
    return document


def _from_json(value: Any) -> Literal:
    """Return what a value of a JSON struct is as a literal; numbers are floats there, as upstream has it."""
    match value:
        case None:
            return Literal(scalar=Scalar(none_type=Void()))
        case bool():
            return Literal(scalar=Scalar(primitive=Primitive(boolean=value)))
        case int() | float():
            return Literal(scalar=Scalar(primitive=Primitive(float_value=value)))
        case str():
            return Literal(scalar=Scalar(primitive=Primitive(string_value=value)))
        case list():
            return Literal(collection=LiteralCollection(literals=[_from_json(item) for item in value]))
        case dict():
            struct = Struct()
            struct.update(value)
            return Literal(scalar=Scalar(generic=struct))
        case other:
            raise Unresolvable(f"a {type(other).__name__} is no JSON value")
