"""Bindings: what a node's inputs are tied to — outputs of other nodes, constants, and lists and maps of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Union, get_args

from flyteidl.core.literals_pb2 import Binding as BindingMessage
from flyteidl.core.literals_pb2 import BindingData, Literal
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.promise import NodeOutput, Promise, VoidPromise
from flyte_kit.core.type_engine import TypeEngine
from flyte_kit.core.type_transformer import TypeTransformer, annotations_of, get_underlying_type
from flyte_kit.loggers import logger
from flyte_kit.transformers.collections import DictTransformer, ListTransformer
from flyte_kit.transformers.unions import is_union

Tree = Union[NodeOutput, Literal, list["Tree"], dict[str, "Tree"]]  # noqa: UP007 - a value


class Binding:
    """The tie of one input.

    :ivar var: the input
    :ivar tree: what it is tied to
    """

    __slots__ = ("tree", "var")

    def __init__(self, var: str, tree: Tree) -> None:
        self.var, self.tree = var, tree

    def message(self) -> BindingMessage:
        """Return the tie as the wire has it, with the ids that nodes have now."""
        return BindingMessage(var=self.var, binding=binding_data(self.tree))

    def outputs(self) -> list[NodeOutput]:
        """Return the outputs of nodes in it, in order."""
        found: list[NodeOutput] = []
        _collect(self.tree, found)
        return found

    def literal(self, of: Callable[[NodeOutput], Literal]) -> Literal:
        """Return the literal that it stands for once the outputs are there, for local runs."""
        return _literal(self.tree, of)


def binding_data(tree: Tree) -> BindingData:
    """Return a tree as the wire has it."""
    result = BindingData()
    if isinstance(tree, NodeOutput):
        result.promise.CopyFrom(tree.message())
    elif isinstance(tree, Literal):
        _of_literal(tree, result)
    elif isinstance(tree, list):
        result.collection.SetInParent()
        result.collection.bindings.extend(binding_data(each) for each in tree)
    else:
        result.map.SetInParent()
        for key, each in tree.items():
            result.map.bindings[key].CopyFrom(binding_data(each))
    return result


def _of_literal(literal: Literal, result: BindingData) -> None:
    match literal.WhichOneof("value"):
        case "collection":
            result.collection.SetInParent()
            for each in literal.collection.literals:
                _of_literal(each, result.collection.bindings.add())
        case "map":
            result.map.SetInParent()
            for key, each in literal.map.literals.items():
                _of_literal(each, result.map.bindings[key])
        case _:
            result.scalar.CopyFrom(literal.scalar)


def _collect(tree: Tree, found: list[NodeOutput]) -> None:
    if isinstance(tree, NodeOutput):
        found.append(tree)
    elif isinstance(tree, list):
        for each in tree:
            _collect(each, found)
    elif isinstance(tree, dict):
        for each in tree.values():
            _collect(each, found)


def _literal(tree: Tree, of: Callable[[NodeOutput], Literal]) -> Literal:
    if isinstance(tree, NodeOutput):
        return of(tree)
    if isinstance(tree, Literal):
        return tree
    result = Literal()
    if isinstance(tree, list):
        result.collection.SetInParent()
        result.collection.literals.extend(_literal(each, of) for each in tree)
    else:
        result.map.SetInParent()
        for key, each in tree.items():
            result.map.literals[key].CopyFrom(_literal(each, of))
    return result


def bind(ctx: FlyteContext, expected: LiteralType, value: Any, python_type: Any) -> Tree:
    """Tie a value — a promise, a constant, or a list or map with either — to an input of a type.

    :raises AssertionError: for what can be no input
    """
    if isinstance(value, Promise):
        if value.is_ready:
            return value.resolved()
        _check_optional_elements(value, expected, python_type)
        return value.ref
    if isinstance(value, VoidPromise):
        raise AssertionError(  # noqa: TRY004 - as flytekit raises
            f"Cannot pass output from task {value.task_name} that produces no outputs to a downstream task"
        )
    kind = expected.WhichOneof("type")
    if value is not None and kind == "union_type":
        return _bind_union(ctx, expected, value, python_type)
    own = next((each for each in annotations_of(python_type) if isinstance(each, TypeTransformer)), None)
    if own is None:
        if isinstance(value, list):
            element = ListTransformer.get_sub_type_or_none(python_type)
            return [bind(ctx, expected.collection_type, each, element or type(each)) for each in value]
        if isinstance(value, dict):
            return _bind_dict(ctx, expected, value, python_type)
    return TypeEngine.to_literal(ctx, value, python_type or type(value), expected)


def _bind_dict(ctx: FlyteContext, expected: LiteralType, value: dict[Any, Any], python_type: Any) -> Tree:
    kind = expected.WhichOneof("type")
    if kind == "simple" and expected.simple == SimpleType.STRUCT:
        return TypeEngine.to_literal(ctx, value, type(value), expected)
    if kind != "map_value_type":
        raise AssertionError(f"this should be a Dictionary type and it is not: {type(value)} vs {expected}")
    _, value_type = DictTransformer.extract_types(python_type)
    return {key: bind(ctx, expected.map_value_type, each, value_type or type(each)) for key, each in value.items()}


def _bind_union(ctx: FlyteContext, expected: LiteralType, value: Any, python_type: Any) -> Tree:
    if not isinstance(value, list | dict):
        return TypeEngine.to_literal(ctx, value, python_type or type(value), expected)
    python_types = get_args(get_underlying_type(python_type)) if is_union(get_underlying_type(python_type)) else ()
    for index, variant in enumerate(expected.union_type.variants):
        try:
            return bind(ctx, variant, value, python_types[index] if python_types else None)
        except (TypeError, ValueError, AssertionError, AttributeError) as error:
            logger.debug("%s is not variant %s: %s", value, index, error)
    raise AssertionError(f"Failed to bind data {value} to any of the expected union variants of {python_type}.")


def _check_optional_elements(promise: Promise, expected: LiteralType, python_type: Any) -> None:
    entity = promise.ref.node.flyte_entity
    interface = getattr(entity, "python_interface", None) if entity is not None else None
    if interface is None or promise.attr_path or promise.ref.var not in interface.outputs:
        return
    upstream = interface.typed.outputs.variables[promise.ref.var].type
    if upstream.collection_type.WhichOneof("type") != "union_type":
        return
    if expected.collection_type.WhichOneof("type") != "union_type":
        raise AssertionError(
            f"Expected type '{python_type}' does not match upstream type '{interface.outputs[promise.ref.var]}'"
        )
