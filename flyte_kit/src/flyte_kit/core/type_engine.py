"""Which transformer serves which Python type, and the conversions of whole inputs and outputs.

Transformers of a library's types are loaded once the user's code has imported that library: :data:`FAMILIES`.
"""

from __future__ import annotations

import contextvars
import dataclasses
import enum
import importlib
import inspect
import sys
import types
import typing
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, get_args, get_origin

from flyteidl.core.interface_pb2 import Variable
from flyteidl.core.literals_pb2 import Literal, LiteralMap
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.json_format import MessageToDict

from flyte_kit.core.annotation import FlyteAnnotation
from flyte_kit.core.constants import CACHE_KEY_METADATA
from flyte_kit.core.context_manager import FlyteContext
from flyte_kit.core.hash import HashMethod, hash_of
from flyte_kit.core.type_transformer import (
    AsyncTypeTransformer,
    RestrictedTypeError,
    TypeTransformer,
    TypeTransformerFailedError,
    annotations_of,
    get_underlying_type,
    is_annotated,
    structures,
)
from flyte_kit.deferred import deferred
from flyte_kit.loggers import logger

if TYPE_CHECKING:
    from concurrent import futures

    from flyte_kit import sdk_plugins
else:
    futures = deferred("concurrent.futures")
    sdk_plugins = deferred("flyte_kit.sdk_plugins")

__all__ = [
    "AsyncTypeTransformer",
    "BatchSize",
    "HashMethod",
    "RestrictedTypeError",
    "TypeEngine",
    "TypeTransformer",
    "TypeTransformerFailedError",
    "get_underlying_type",
    "is_annotated",
]

FAMILIES = {
    "flyte_kit.types.file": "flyte_kit.transformers.files",
    "flyte_kit.types.directory": "flyte_kit.transformers.directories",
    "flyte_kit.types.structured": "flyte_kit.transformers.datasets",
    "flyte_kit.types.schema": "flyte_kit.transformers.schemas",
    "flyte_kit.types.error": "flyte_kit.transformers.failures",
    "flyte_kit.types.iterator": "flyte_kit.transformers.iterators",
    "pandas": "flyte_kit.transformers.pandas_frames",
    "pyarrow": "flyte_kit.transformers.arrow_tables",
    "polars": "flyte_kit.transformers.polars_frames",
    "numpy": "flyte_kit.transformers.numpy_arrays",
    "pydantic": "flyte_kit.transformers.models",
    "torch": "flyte_kit.transformers.torch_objects",
    "sklearn": "flyte_kit.transformers.estimators",
    "PIL": "flyte_kit.transformers.images",
}
"""Module that the user's code imports -> module of transformers that is loaded then."""

PARALLEL_TRANSFERS = 16
"""Conversions of one list or map that wait for storage at the same time."""


class BatchSize:
    """``Annotated[FlyteDirectory, BatchSize(10)]``: files copied at the same time.

    :ivar val: how many
    """

    def __init__(self, val: int) -> None:
        self.val = val


class TypeEngine:
    """The registry of transformers."""

    _registry: typing.ClassVar[dict[Any, TypeTransformer[Any]]] = {}
    _found: typing.ClassVar[dict[Any, TypeTransformer[Any]]] = {}
    _waiting: typing.ClassVar[dict[str, str]] = dict(FAMILIES)
    _warned: typing.ClassVar[set[str]] = set()
    _extended: typing.ClassVar[set[str]] = set()

    @classmethod
    def register(cls, transformer: TypeTransformer[Any], additional_types: Iterable[Any] | None = None) -> None:
        """Let a transformer serve its Python type and further ones.

        :raises ValueError: if another transformer serves one of them
        """
        for python_type in [transformer.python_type, *(additional_types or [])]:
            known = cls._registry.get(python_type)
            if known is not None and known.name != transformer.name:
                raise ValueError(
                    f"Transformer {known.name} for type {python_type} is already registered. "
                    f"Cannot override with {transformer.name}"
                )
            cls._registry[python_type] = transformer
        cls._found.clear()

    @classmethod
    def register_additional_type(
        cls, transformer: TypeTransformer[Any], additional_type: Any, override: bool = False
    ) -> None:
        """Let a transformer serve one more type; ``override`` takes it from another one."""
        if additional_type not in cls._registry or override:
            cls._registry[additional_type] = transformer
            cls._found.clear()

    @classmethod
    def get_transformer(cls, python_type: Any) -> TypeTransformer[Any]:
        """Return the transformer of a type.

        In this order: one in its ``Annotated``, that of the type, of what it is derived from, of dataclasses, and
        pickle for everything else.
        """
        try:
            found = cls._found.get(python_type)
        except TypeError:  # an annotation that cannot be hashed
            return cls._search(python_type)
        if found is None:
            found = cls._search(python_type)
            cls._found[python_type] = found
        return found

    @classmethod
    def _search(cls, python_type: Any) -> TypeTransformer[Any]:
        cls.load_families()
        found = cls._lookup(python_type)
        if found is not None:
            return found
        for base in getattr(python_type, "__mro__", ()):
            found = cls._lookup(base)
            if found is not None:
                return found
        if dataclasses.is_dataclass(python_type):
            return typing.cast(TypeTransformer[Any], _transformer("dataclasses", "DATACLASSES"))
        if cls._load_plugins():
            return cls._search(python_type)
        cls._warn_pickle(str(python_type))
        return typing.cast(TypeTransformer[Any], _transformer("pickles", "PICKLES"))

    @classmethod
    def _lookup(cls, python_type: Any) -> TypeTransformer[Any] | None:
        if is_annotated(python_type):
            own = [each for each in annotations_of(python_type) if isinstance(each, TypeTransformer)]
            return own[0] if own else cls.get_transformer(get_args(python_type)[0])
        if inspect.isclass(python_type) and issubclass(python_type, enum.Enum):
            return cls._registry[enum.Enum]
        origin = get_origin(python_type)
        if origin is typing.Literal:
            return cls._registry[typing.Literal]
        if isinstance(python_type, types.UnionType):
            return cls._registry[typing.Union]
        try:
            if python_type in cls._registry:
                return cls._registry[python_type]
        except TypeError:  # columns of a table in the type's arguments cannot be hashed
            logger.debug("%s cannot be hashed; its origin decides", python_type)
        return cls._registry.get(origin) if origin is not None else None

    @classmethod
    def load_families(cls) -> None:
        """Load the transformers of libraries that have been imported since."""
        for library in [name for name in cls._waiting if name in sys.modules]:
            importlib.import_module(cls._waiting.pop(library))

    @classmethod
    def _load_plugins(cls) -> bool:
        """Load the installed plugins of libraries that are imported; return whether there were new ones.

        :raises flyte_core.errors.PluginError: naming the package that breaks
        """
        plugins = sdk_plugins.type_plugins()
        news = [library for library in plugins if library in sys.modules and library not in cls._extended]
        for library in news:
            cls._extended.add(library)
            for point in plugins[library]:
                for transformer in sdk_plugins.transformers_of(point):
                    cls.register(transformer)
        return bool(news)

    @classmethod
    def _warn_pickle(cls, name: str) -> None:
        if name not in cls._warned:
            cls._warned.add(name)
            logger.warning(
                "%s is sent as a pickle: only the same Python version with the same libraries can read it. "
                "Prefer a type that Flyte knows.",
                name,
            )

    @classmethod
    def to_literal_type(cls, python_type: Any) -> LiteralType:
        """Return the type on the wire of a Python type.

        :raises ValueError: if it holds more than one FlyteAnnotation
        """
        found = cls.get_transformer(python_type).get_literal_type(python_type)
        notes = [each for each in annotations_of(python_type) if isinstance(each, FlyteAnnotation)]
        if not notes:
            return found
        if len(notes) > 1:
            raise ValueError(f"More than one FlyteAnnotation in {python_type}: Flyte keeps one.")
        if CACHE_KEY_METADATA in notes[0].data:
            raise AssertionError(f"FlyteAnnotation cannot contain `{CACHE_KEY_METADATA}`.")
        result = LiteralType()
        result.CopyFrom(found)
        merged = {**notes[0].data, **MessageToDict(found.annotation.annotations)}
        result.annotation.annotations.Clear()
        result.annotation.annotations.update(merged)
        return result

    @classmethod
    def to_literal(cls, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """Return the literal of a value.

        :raises TypeTransformerFailedError: if the value is not of the type
        """
        return cls.encode(ctx, python_val, python_type, expected, cls.get_transformer(python_type))

    @classmethod
    def encode(
        cls,
        ctx: FlyteContext,
        value: Any,
        python_type: Any,
        expected: LiteralType,
        transformer: TypeTransformer[Any],
    ) -> Literal:
        """Return the literal of a value whose transformer is known."""
        if value is None or isinstance(value, tuple):
            _check_single(value, python_type, expected)
        ready = getattr(type(value), "__flyte_literal__", None)
        if ready is not None:
            return typing.cast(Literal, ready(value))
        if transformer.type_assertions_enabled:
            transformer.assert_type(python_type, value)
        literal = transformer.to_literal(ctx, value, python_type, expected)
        key = hash_of(value, annotations_of(python_type))
        if key:
            literal.hash = key
        return literal

    @classmethod
    def encode_all(
        cls, ctx: FlyteContext, values: Iterable[Any], python_type: Any, expected: LiteralType
    ) -> list[Literal]:
        """Return the literals of values of one type; those that wait for storage go on at the same time."""
        transformer = cls.get_transformer(python_type)
        return _mapped(
            transformer, lambda value: cls.encode(ctx, value, python_type, expected, transformer), list(values)
        )

    @classmethod
    def to_python_value(cls, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """Return the value of a literal; one that is kept in storage is fetched first.

        :raises TypeTransformerFailedError: if the literal is not one of the type
        """
        if lv.HasField("offloaded_metadata"):
            lv = cls.unwrap_offloaded_literal(ctx, lv)
        return cls.get_transformer(expected_python_type).to_python_value(ctx, lv, expected_python_type)

    @classmethod
    def decode_all(cls, ctx: FlyteContext, literals: Iterable[Literal], python_type: Any) -> list[Any]:
        """Return the values of literals of one type."""
        transformer = cls.get_transformer(python_type)
        return _mapped(transformer, lambda literal: cls.to_python_value(ctx, literal, python_type), list(literals))

    @classmethod
    def unwrap_offloaded_literal(cls, ctx: FlyteContext, lv: Literal) -> Literal:
        """Return the literal that another one only refers to."""
        path = ctx.file_access.get_random_local_path()
        ctx.file_access.get_data(lv.offloaded_metadata.uri, path)
        with open(path, "rb") as file:
            return typing.cast(Literal, Literal.FromString(file.read()))

    @classmethod
    def to_html(cls, ctx: FlyteContext, python_val: Any, expected_python_type: Any) -> str:
        """Return a value as HTML: by a renderer in its ``Annotated``, else by its transformer."""
        for each in annotations_of(expected_python_type):
            if hasattr(each, "to_html") and not isinstance(each, TypeTransformer):
                return str(each.to_html(python_val))
        bare = get_underlying_type(expected_python_type)
        return cls.get_transformer(bare).to_html(ctx, python_val, bare)

    @classmethod
    def literal_map_to_kwargs(
        cls,
        ctx: FlyteContext,
        lm: LiteralMap,
        python_types: Mapping[str, Any] | None = None,
        literal_types: Mapping[str, Variable] | None = None,
    ) -> dict[str, Any]:
        """Return the values of a map of literals.

        :param python_types: by name; guessed from ``literal_types`` without them
        :raises ValueError: if the map has names that the types do not have
        """
        wanted = python_types if python_types is not None else cls.guess_python_types(literal_types or {})
        extra = sorted(name for name in lm.literals if name not in wanted)
        if extra:
            raise ValueError(f"Received unexpected inputs {extra}; there are {sorted(wanted)}")
        values = {}
        for name in wanted:
            if name in lm.literals:
                try:
                    values[name] = cls.to_python_value(ctx, lm.literals[name], wanted[name])
                except TypeTransformerFailedError as error:
                    raise TypeTransformerFailedError(f"Error converting input '{name}':\n  {error}") from error
        return values

    @classmethod
    def dict_to_literal_map(
        cls, ctx: FlyteContext, d: Mapping[str, Any], type_hints: Mapping[str, Any] | None = None
    ) -> LiteralMap:
        """Return values as a map of literals, by the types given or by those of the values."""
        result = LiteralMap()
        for name, value in d.items():
            python_type = (type_hints or {}).get(name, type(value))
            try:
                literal = cls.to_literal(ctx, value, python_type, cls.to_literal_type(python_type))
            except TypeError as error:
                raise TypeTransformerFailedError(
                    f"Failed to convert type: {name}: {type(value)} to {python_type}: {error}"
                ) from error
            result.literals[name].CopyFrom(literal)
        return result

    @classmethod
    def guess_python_types(cls, flyte_variable_dict: Mapping[str, Variable]) -> dict[str, Any]:
        """Return a Python type for every variable."""
        return {name: cls.guess_python_type(variable.type) for name, variable in flyte_variable_dict.items()}

    @classmethod
    def guess_python_type(cls, flyte_type: LiteralType) -> Any:
        """Return a Python type for a type on the wire; a structure becomes a dataclass of its JSON schema.

        :raises ValueError: if no transformer knows it
        """
        if flyte_type.HasField("metadata") or flyte_type.HasField("structure"):
            structure = structures().guess(flyte_type)
            if structure is not None:
                return structure
        cls.load_families()
        found = cls._guess(flyte_type)
        if found is None:  # a file or table of a registered program: this one has no such type, so it was not loaded
            for library in [name for name in cls._waiting if name.startswith("flyte_kit.")]:
                importlib.import_module(library)
            cls.load_families()
            cls._load_plugins()
            found = cls._guess(flyte_type)
        if found is None:
            raise ValueError(f"No transformers could reverse Flyte literal type {flyte_type}")
        return found

    @classmethod
    def _guess(cls, flyte_type: LiteralType) -> Any:
        unique = {id(each): each for each in cls._registry.values()}
        for transformer in unique.values():
            try:
                return transformer.guess_python_type(flyte_type)
            except ValueError as error:
                logger.debug("%s", error)
        return None

    @classmethod
    def get_available_transformers(cls) -> Iterable[Any]:
        """Return the types that have a transformer of their own."""
        return cls._registry.keys()

    @classmethod
    def named_tuple_to_variable_map(cls, t: Any) -> dict[str, Variable]:
        """Return the variables of a NamedTuple's fields."""
        hints = typing.get_type_hints(t, include_extras=True)
        return OrderedDict(
            (name, Variable(type=cls.to_literal_type(each), description=name)) for name, each in hints.items()
        )


def _transformer(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"flyte_kit.transformers.{module}"), name)


def _check_single(value: Any, python_type: Any, expected: LiteralType | None) -> None:
    if isinstance(value, tuple):
        if hasattr(value, "_fields") or python_type is not Any:
            raise TypeTransformerFailedError(
                "Tuples are not a supported type for individual values in Flyte - got a tuple -"
                f" {value}. If using named tuple in an inner task, please, de-reference the"
                " actual attribute that you want to use. For example, in NamedTuple('OP', x=int) then"
                " return v.x, instead of v, even if this has a single element"
            )
        return
    optional = expected is None or expected.WhichOneof("type") == "union_type"
    if not optional and python_type not in {type(None), None, Any}:
        raise TypeTransformerFailedError(f"Python value cannot be None, expected {python_type}")


def _mapped(transformer: TypeTransformer[Any], convert: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    if len(items) < 2 or not transformer.does_io:
        return [convert(item) for item in items]
    contexts = [contextvars.copy_context() for _ in items]
    with futures.ThreadPoolExecutor(min(PARALLEL_TRANSFERS, len(items))) as pool:
        return list(pool.map(lambda pair: pair[0].run(convert, pair[1]), zip(contexts, items, strict=True)))


importlib.import_module("flyte_kit.transformers.builtin").register_all()
