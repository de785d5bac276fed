"""Promises: what a call returns while a workflow is put together, or while it runs locally.

While compiling, a promise points to the output of a node. On a local run it holds a literal.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import msgpack
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType, OutputReference, PromiseAttribute, SimpleType
from google.protobuf.json_format import MessageToDict

from flyte_kit.core.expressions import ComparisonExpression, ComparisonOps, primitive_of
from flyte_kit.core.type_transformer import packed, unpacked
from flyte_kit.exceptions.user import FlyteAssertion, FlytePromiseAttributeResolveException

if TYPE_CHECKING:
    from flyte_kit.core.interface import Interface
    from flyte_kit.core.node import Node

Path = tuple[str | int, ...]


class NodeOutput:
    """An output of a node, or a part of it.

    :ivar attr_path: keys and indices that lead to the part
    """

    __slots__ = ("attr_path", "node", "var")

    def __init__(self, node: Node, var: str, attr_path: Path = ()) -> None:
        self.node, self.var, self.attr_path = node, var, attr_path

    @property
    def node_id(self) -> str:
        """Id of the node; it may change until the workflow is serialized."""
        return self.node.id

    def with_attr(self, key: str | int) -> NodeOutput:
        """Return the part that a key leads to."""
        return NodeOutput(self.node, self.var, (*self.attr_path, key))

    def message(self) -> OutputReference:
        """Return the reference as the wire has it."""
        result = OutputReference(node_id=self.node.id, var=self.var)
        for key in self.attr_path:
            result.attr_path.append(
                PromiseAttribute(string_value=key) if isinstance(key, str) else PromiseAttribute(int_value=key)
            )
        return result

    def __repr__(self) -> str:
        return f"Node({self.node.id}:{self.var})"


def node_of(call: Any) -> Node:
    """Return the node of what a call, or ``create_node``, has returned.

    :raises TypeError: if it is something else
    """
    ref = getattr(call, "ref", None)
    node: Any = ref.node if isinstance(ref, NodeOutput) else call
    if not hasattr(node, "upstream_nodes"):
        raise TypeError(f"{call!r} cannot be put in order: write calls of tasks and workflows, or nodes, beside >>")
    return node  # type: ignore[no-any-return]


class Promise:
    """A value that is not there yet, or that is there as a literal.

    :ivar var: name of the output
    :ivar ref: the node's output, while compiling
    :ivar val: the literal, on a local run; None in a branch that is skipped
    """

    __slots__ = ("_attr_path", "_type", "is_ready", "ref", "val", "var")

    def __init__(
        self, var: str, val: NodeOutput | Literal | None, type: LiteralType | None = None, attr_path: Path = ()
    ) -> None:
        self.var = var
        self.is_ready = not isinstance(val, NodeOutput)
        self.ref: Any = val if isinstance(val, NodeOutput) else None
        self.val: Any = val if not isinstance(val, NodeOutput) else None
        self._type = type
        self._attr_path = attr_path

    @property
    def attr_path(self) -> list[str | int]:
        """Keys and indices that lead to the part."""
        return list(self._attr_path)

    def with_var(self, new_var: str) -> Promise:
        """Return the promise under another name."""
        return Promise(new_var, self.ref if self.ref is not None else self.val, self._type, self._attr_path)

    def resolved(self) -> Literal:
        """Return the literal of the part that the path leads to, on a local run.

        :raises FlytePromiseAttributeResolveException: if it leads nowhere
        """
        return part_of(self.val, self._attr_path) if self._attr_path else self.val

    def __flyte_literal__(self) -> Literal:
        if not self.is_ready:
            raise FlyteAssertion(
                f"{self} is not there before the workflow runs, so that nothing can be made of it now."
            )
        return self.resolved()

    def eval(self) -> Any:
        """Return the primitive value, on a local run."""
        if not self.is_ready or self.val is None:
            raise ValueError("Cannot Eval with incomplete promises")
        return primitive_of(self.resolved())

    def is_(self, v: bool) -> ComparisonExpression:
        """Compare with a truth value."""
        return ComparisonExpression(self, ComparisonOps.EQ, v)

    def is_false(self) -> ComparisonExpression:
        """Compare with False."""
        return self.is_(False)

    def is_true(self) -> ComparisonExpression:
        """Compare with True."""
        return self.is_(True)

    def is_none(self) -> ComparisonExpression:
        """Compare with None."""
        return ComparisonExpression(self, ComparisonOps.EQ, None)

    def __eq__(self, other: Any) -> Any:
        return ComparisonExpression(self, ComparisonOps.EQ, other)

    def __ne__(self, other: Any) -> Any:
        return ComparisonExpression(self, ComparisonOps.NE, other)

    def __gt__(self, other: Any) -> ComparisonExpression:
        return ComparisonExpression(self, ComparisonOps.GT, other)

    def __ge__(self, other: Any) -> ComparisonExpression:
        return ComparisonExpression(self, ComparisonOps.GE, other)

    def __lt__(self, other: Any) -> ComparisonExpression:
        return ComparisonExpression(self, ComparisonOps.LT, other)

    def __le__(self, other: Any) -> ComparisonExpression:
        return ComparisonExpression(self, ComparisonOps.LE, other)

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> NoReturn:
        raise ValueError(
            "Flyte does not support unary expressions or truth value testing of promises:"
            " compare them, or use is_true(). For Logical `and\\or` use `&\\|` (bitwise) instead"
        )

    def __and__(self, other: Any) -> NoReturn:
        raise ValueError("Cannot perform Logical AND of Promise with other: compare it first")

    def __or__(self, other: Any) -> NoReturn:
        raise ValueError("Cannot perform Logical OR of Promise with other: compare it first")

    def __rshift__(self, other: Any) -> Any:
        if not self.is_ready:
            self.ref.node.runs_before(other)
        return other

    def runs_before(self, other: Any) -> None:
        """Let another call wait for this one."""
        self >> other

    def with_overrides(self, *args: Any, **kwargs: Any) -> Promise:
        """Change what the node asks for; see :meth:`flyte_kit.core.node.Node.with_overrides`."""
        if self.ref is not None:
            self.ref.node.with_overrides(*args, **kwargs)
        return self

    def __iter__(self) -> NoReturn:
        raise ValueError(
            f" {self.var} is a Promise. Promise objects are not iterable - can't range() over a promise."
            " But you can use [index] or the alpha version of @eager workflows"
        )

    def __getitem__(self, key: str | int) -> Promise:
        unknown = self._type is not None and self._type.simple == SimpleType.STRUCT
        if self.ref is not None and unknown and self._type is not None and not self._type.HasField("metadata"):
            raise ValueError(f"Trying to index into a unschematized struct type {self.var}[{key}].")
        return self._part(key)

    def __getattr__(self, key: str) -> Promise:
        if key.startswith("__") or key in Promise.__slots__:
            raise AttributeError(key)
        return self._part(key)

    def _part(self, key: str | int) -> Promise:
        ref = self.ref.with_attr(key) if self.ref is not None else None
        return Promise(self.var, ref if ref is not None else self.val, self._type, (*self._attr_path, key))

    def __repr__(self) -> str:
        if self.is_ready:
            return f"Resolved({self.var}={self.val})"
        return f"Promise(node:{self.ref.node_id}.{self.var}.{self.attr_path})"


class VoidPromise:
    """What the call of something without outputs returns.

    :param task_name: for messages
    """

    def __init__(self, task_name: str, ref: NodeOutput | None = None) -> None:
        self.task_name = task_name
        self.ref = ref

    def __rshift__(self, other: Any) -> Any:
        if self.ref is not None:
            self.ref.node.runs_before(other)
        return other

    def runs_before(self, other: Any) -> None:
        """Let another call wait for this one."""
        self >> other

    def with_overrides(self, *args: Any, **kwargs: Any) -> VoidPromise:
        """Change what the node asks for; see :meth:`flyte_kit.core.node.Node.with_overrides`."""
        if self.ref is not None:
            self.ref.node.with_overrides(*args, **kwargs)
        return self

    def __flyte_literal__(self) -> NoReturn:
        raise AssertionError(
            f"Outputs of a non-output producing task {self.task_name} cannot be passed to another task."
        )

    def _refuse(self, *args: Any) -> NoReturn:
        raise AssertionError(f"Task {self.task_name} returns nothing, NoneType return cannot be used")

    __eq__ = __and__ = __or__ = __le__ = __ge__ = __gt__ = __lt__ = __add__ = _refuse
    __bool__ = __mod__ = __xor__ = _refuse

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"VoidPromise({self.task_name})"


def part_of(literal: Literal, path: Path) -> Literal:
    """Return the part of a literal that a path leads to: through lists, maps and MessagePack, as engines do.

    :raises FlytePromiseAttributeResolveException: if it leads nowhere
    """
    for used, key in enumerate(path):
        kind = literal.WhichOneof("value")
        if kind == "scalar":
            return _part_of_scalar(literal, path[used:])
        found: Mapping[Any, Literal] | list[Literal]
        found = literal.map.literals if kind == "map" else list(literal.collection.literals)
        missing = key not in found if kind == "map" else not isinstance(key, int) or not -len(found) <= key < len(found)
        if missing:
            raise FlytePromiseAttributeResolveException(f"The path {list(path)} leads nowhere: {key!r} is not there.")
        literal = found[key]  # type: ignore[index]
    return literal


def _part_of_scalar(literal: Literal, path: Path) -> Literal:
    kind = literal.scalar.WhichOneof("value")
    if kind == "union":
        return part_of(literal.scalar.union.value, path)
    if kind == "binary":
        return packed(_walk(unpacked(literal.scalar.binary), path))
    if kind == "generic":
        return packed(msgpack.loads(msgpack.dumps(_walk(MessageToDict(literal.scalar.generic), path))))
    raise FlytePromiseAttributeResolveException(f"The path {list(path)} leads into a {kind}, which has no parts.")


def _walk(value: Any, path: Path) -> Any:
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError) as error:
            raise FlytePromiseAttributeResolveException(
                f"The path {list(path)} leads nowhere: {key!r} is not in {str(value)[:200]}"
            ) from error
    return value


class _Overridable:
    __slots__ = ()

    def with_overrides(self, *args: Any, **kwargs: Any) -> Any:
        """Change what the node asks for."""
        self[0].with_overrides(*args, **kwargs)  # type: ignore[index]
        return self

    @property
    def ref(self) -> Any:
        """The first output's reference."""
        return self[0].ref  # type: ignore[index]

    def runs_before(self, other: Any) -> None:
        """Let another call wait for this one."""
        self[0].runs_before(other)  # type: ignore[index]

    def __rshift__(self, other: Any) -> Any:
        return self[0] >> other  # type: ignore[index]


@functools.cache
def output_tuple(name: str, fields: tuple[str, ...]) -> Any:
    """Return the class of the tuple that a call with several outputs returns."""
    plain = collections.namedtuple(name, fields)  # type: ignore[misc]
    return type(name, (_Overridable, plain), {"__slots__": ()})


def create_task_output(promises: Any, entity_interface: Interface | None = None) -> Any:
    """Return what a call returns: one promise, or a tuple of them under their names."""
    if promises is None or isinstance(promises, Promise):
        return promises
    name = entity_interface.output_tuple_name if entity_interface else None
    if len(promises) == 1 and not name:
        return promises[0]
    fields = list(entity_interface.outputs) if entity_interface else [promise.var for promise in promises]
    return output_tuple(name or "DefaultNamedTupleOutput", tuple(fields))(*promises)
