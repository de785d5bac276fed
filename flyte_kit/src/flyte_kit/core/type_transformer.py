"""What a transformer is: the two-way bridge between one family of Python types and one kind of literal."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, NoReturn, TypeVar, get_args, get_origin

import msgpack
from flyteidl.core.literals_pb2 import Binary, Literal, Scalar
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.struct_pb2 import Struct

from flyte_core.errors import UserError
from flyte_kit.core.constants import MESSAGEPACK
from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.deferred import deferred

if TYPE_CHECKING:
    import html
else:
    html = deferred("html")

T = TypeVar("T")


class TypeTransformerFailedError(UserError, TypeError, AssertionError, ValueError):
    """A value does not go into a type. Transformers raise it; unions take it as "not this variant"."""


class RestrictedTypeError(UserError, TypeError):
    """A type that can be no input or output."""


def is_annotated(t: Any) -> bool:
    """Tell whether a type is ``Annotated[…]``."""
    return get_origin(t) is Annotated


def get_underlying_type(t: Any) -> Any:
    """Return a type without its annotations."""
    return get_args(t)[0] if is_annotated(t) else t


def annotations_of(t: Any) -> tuple[Any, ...]:
    """Return what ``Annotated`` adds to a type."""
    return get_args(t)[1:] if is_annotated(t) else ()


def type_name(t: Any) -> str:
    """Return a type's name for messages."""
    return t.__name__ if inspect.isclass(t) else str(t)


class TypeTransformer(Generic[T]):
    """Bridge between a Python type and a literal; subclass it and pass an instance to ``TypeEngine.register``.

    :param name: unique; it is the tag of union variants on the wire, so it may never change
    :param t: the Python type
    :param enable_type_assertions: whether :meth:`assert_type` is asked before every conversion
    :cvar does_io: whether conversions wait for storage, so that those of a list may go on at the same time
    """

    does_io: ClassVar[bool] = False

    def __init__(self, name: str, t: Any, enable_type_assertions: bool = True) -> None:
        self._name = name
        self._python_type = t
        self._type_assertions_enabled = enable_type_assertions

    @property
    def name(self) -> str:
        """Name of the transformer."""
        return self._name

    @property
    def python_type(self) -> Any:
        """The Python type."""
        return self._python_type

    @property
    def type_assertions_enabled(self) -> bool:
        """Whether :meth:`assert_type` is asked before every conversion."""
        return self._type_assertions_enabled

    def assert_type(self, t: Any, v: Any) -> None:
        """Check that a value is of a type.

        :raises TypeTransformerFailedError: if it is not
        """
        if inspect.isclass(t) and not isinstance(v, t):
            raise TypeTransformerFailedError(f"Expected value of type {t} but got '{v}' of type {type(v)}")

    def get_literal_type(self, t: Any) -> LiteralType:
        """Return the type on the wire."""
        raise NotImplementedError(f"{self}: get_literal_type is missing")

    def guess_python_type(self, literal_type: LiteralType) -> Any:
        """Return a Python type for a type on the wire.

        :raises ValueError: if this transformer did not make it
        """
        raise ValueError(f"{self} cannot reverse {literal_type}")

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Return the literal of a value.

        :raises TypeTransformerFailedError: if the value is not of the type
        """
        raise NotImplementedError(f"{self}: to_literal is missing")

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Return the value of a literal.

        :raises TypeTransformerFailedError: if the literal is not one of the type
        """
        raise NotImplementedError(f"{self}: to_python_value is missing")

    def from_binary_idl(self, binary_idl_object: Binary, expected_python_type: Any) -> Any:
        """Return the value of a MessagePack literal: what a path into a dataclass gives (``x.a["k"]``).

        :raises TypeTransformerFailedError: for another tag than ``msgpack``
        """
        return structures().decode(unpacked(binary_idl_object), expected_python_type)

    def from_generic_idl(self, generic: Struct, expected_python_type: Any) -> Any:
        """Return the value of a Struct literal: what consoles send for a structure."""
        raise TypeTransformerFailedError(f"{self} takes no Struct for {expected_python_type}")

    def to_html(self, ctx: FlyteContext, python_val: Any, expected_python_type: Any) -> str:
        """Return a value as HTML for decks."""
        return html.escape(str(python_val))

    def refuse(self, lv: Literal, expected: Any) -> NoReturn:
        """Say that a literal is not of a type.

        :raises TypeTransformerFailedError: always
        """
        shown = str(lv)
        shown = shown if len(shown) <= 256 else shown[:256] + "…"
        raise TypeTransformerFailedError(f"Cannot convert literal {shown} to {expected}")

    def __repr__(self) -> str:
        return f"{self._name} Transforms ({self._python_type}) to Flyte native"


class AsyncTypeTransformer(TypeTransformer[T]):
    """A transformer whose conversions are coroutines, as users of flytekit write them; each is run to its end."""

    async def async_to_literal(
        self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType
    ) -> Literal:
        """Return the literal of a value."""
        raise NotImplementedError(f"{self}: async_to_literal is missing")

    async def async_to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Return the value of a literal."""
        raise NotImplementedError(f"{self}: async_to_python_value is missing")

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Run :meth:`async_to_literal`."""
        return run_coroutine(self.async_to_literal(ctx, python_val, python_type, expected))

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Run :meth:`async_to_python_value`."""
        return run_coroutine(self.async_to_python_value(ctx, lv, expected_python_type))


def run_coroutine(coroutine: Any) -> Any:
    """Run a coroutine to its end, also where an event loop runs already (then in a thread)."""
    return importlib.import_module("flyte_kit.core.coroutines").run(coroutine)


def unpacked(binary: Binary) -> Any:
    """Return what a MessagePack literal holds.

    :raises TypeTransformerFailedError: for another tag than ``msgpack``
    """
    if binary.tag != MESSAGEPACK:
        raise TypeTransformerFailedError(f"Unsupported binary format: `{binary.tag}`")
    return msgpack.loads(binary.value, strict_map_key=False)


def packed(value: Any) -> Literal:
    """Return the MessagePack literal of plain data."""
    return Literal(scalar=Scalar(binary=Binary(value=msgpack.dumps(value), tag=MESSAGEPACK)))


def structures() -> Any:
    """Return the module that takes structures apart, loaded when the first one is met."""
    return importlib.import_module("flyte_kit.transformers.structures")
