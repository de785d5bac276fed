"""Structures (dataclasses and what they hold) as plain data, the way mashumaro's MessagePack codec writes them.

A function per type is made once and kept. What is beyond these rules (a dataclass with mashumaro's own options, type
variables) raises :class:`BeyondRules`, and the dataclass transformer asks mashumaro itself.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import inspect
import os
import pathlib
import types
import typing
import uuid
from collections.abc import Callable
from typing import Any, get_args, get_origin

from flyte_kit.core.type_transformer import TypeTransformerFailedError, get_underlying_type
from flyte_kit.transformers.schema_guess import guess

__all__ = ["BeyondRules", "decode", "encode", "guess", "hints_of"]

Convert = Callable[[Any], Any]
_SEQUENCES: dict[Any, Callable[[Any], Any]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: set,
    collections.deque: collections.deque,
}
_MAPPINGS = {dict, collections.abc.Mapping, collections.abc.MutableMapping, collections.OrderedDict}
_AS_TEXT = (decimal.Decimal, uuid.UUID, pathlib.PurePath)
_OPTIONS = {"serialize", "deserialize", "alias", "serialization_strategy"}


class BeyondRules(Exception):
    """A type that only mashumaro itself knows how to write."""


_encoders: dict[Any, Convert] = {}
_decoders: dict[Any, Convert] = {}
_hints: dict[type, dict[str, Any]] = {}


def encode(value: Any, python_type: Any) -> Any:
    """Return plain data: None, numbers, text, bytes, lists and dictionaries."""
    return _kept(_encoders, python_type, _encoder)(value)


def decode(plain: Any, python_type: Any) -> Any:
    """Return the value that plain data stands for.

    :raises TypeTransformerFailedError: if the data does not fit
    """
    try:
        return _kept(_decoders, python_type, _decoder)(plain)
    except (KeyError, AttributeError) as error:
        raise TypeTransformerFailedError(f"the data does not fit {python_type}: {error!r}") from error


def hints_of(cls: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, by name."""
    if cls not in _hints:
        known = typing.get_type_hints(cls)
        _hints[cls] = {field.name: known.get(field.name, field.type) for field in dataclasses.fields(cls)}
    return _hints[cls]


def uses_options(cls: type) -> bool:
    """Tell whether a dataclass says in mashumaro's terms how it is written."""
    if any(base.__module__.partition(".")[0] == "mashumaro" for base in cls.__mro__):
        return True
    return any(_OPTIONS & set(field.metadata) for field in dataclasses.fields(cls))


def _kept(known: dict[Any, Convert], python_type: Any, make: Callable[[Any], Convert]) -> Convert:
    try:
        found = known.get(python_type)
    except TypeError:
        return make(python_type)
    if found is None:
        # A type that holds itself meets this entry while its own function is being made.
        known[python_type] = lambda value: known[python_type](value)
        try:
            found = make(python_type)
        except BaseException:
            del known[python_type]
            raise
        known[python_type] = found
    return found


def _same(value: Any) -> Any:
    return value


def _encoder(python_type: Any) -> Convert:
    t = get_underlying_type(python_type)
    special = _special_encoder(t)
    if special is not None:
        return special
    origin, arguments = get_origin(t) or t, get_args(t)
    if origin in _MAPPINGS:
        return _mapping(arguments, _encoders, _encoder, dict)
    if origin is tuple:
        return _tuple(arguments, _encoders, _encoder, list)
    if origin in _SEQUENCES:
        each = _kept(_encoders, arguments[0], _encoder) if arguments else _same
        return lambda value: [each(item) for item in value]
    if origin is typing.Literal or t is Any or t in {None, type(None), object}:
        return _same
    if origin is typing.Union or isinstance(t, types.UnionType):
        return _union_encoder(arguments)
    if inspect.isclass(t):
        return _class_encoder(t)
    raise BeyondRules(f"{t} has no rule")


def _special_encoder(t: Any) -> Convert | None:
    if t in {int, float, bool, str, bytes, bytearray}:
        return _same
    if t in {datetime.datetime, datetime.date, datetime.time}:
        return lambda value: value.isoformat()
    if t is datetime.timedelta:
        return lambda value: value.total_seconds()
    return None


def _class_encoder(t: type) -> Convert:
    if issubclass(t, enum.Enum):
        return lambda value: value.value if isinstance(value, enum.Enum) else t(value).value
    if issubclass(t, _AS_TEXT) or t is os.PathLike:
        return str
    if hasattr(t, "_serialize"):
        kind: Any = t
        return lambda value: (kind(value) if isinstance(value, str) else value)._serialize()
    if dataclasses.is_dataclass(t):
        return _dataclass_encoder(t)
    if issubclass(t, tuple) and hasattr(t, "_fields"):
        hints = typing.get_type_hints(t)
        each = [_kept(_encoders, hints.get(name, Any), _encoder) for name in t._fields]
        return lambda value: [convert(item) for convert, item in zip(each, value, strict=True)]
    raise BeyondRules(f"{t} has no rule")


def _dataclass_encoder(t: type) -> Convert:
    if uses_options(t):
        raise BeyondRules(f"{t} has options of mashumaro")
    each = [(name, _kept(_encoders, hint, _encoder)) for name, hint in hints_of(t).items()]
    return lambda value: {name: convert(getattr(value, name)) for name, convert in each}


def _mapping(
    arguments: tuple[Any, ...], known: dict[Any, Convert], make: Callable[[Any], Convert], result: Callable[[Any], Any]
) -> Convert:
    if len(arguments) != 2:
        return _same
    key, value = _kept(known, arguments[0], make), _kept(known, arguments[1], make)
    return lambda mapping: {key(k): value(v) for k, v in mapping.items()}


def _tuple(
    arguments: tuple[Any, ...], known: dict[Any, Convert], make: Callable[[Any], Convert], result: Callable[[Any], Any]
) -> Convert:
    if not arguments:
        return result
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        one = _kept(known, arguments[0], make)
        return lambda value: result([one(item) for item in value])
    each = [_kept(known, argument, make) for argument in arguments]
    return lambda value: result([convert(item) for convert, item in zip(each, value, strict=True)])


def _union_encoder(arguments: tuple[Any, ...]) -> Convert:
    variants = [(_runtime_class(argument), argument) for argument in arguments]

    def convert(value: Any) -> Any:
        exact = [argument for runtime, argument in variants if runtime is type(value)]
        alike = [argument for runtime, argument in variants if runtime and isinstance(value, runtime)]
        for argument in [*exact, *alike, *arguments]:
            try:
                return encode(value, argument)
            except (TypeError, ValueError, AttributeError):
                continue
        raise TypeTransformerFailedError(f"{value!r} is none of {arguments}")

    return convert


def _runtime_class(t: Any) -> type | None:
    bare = get_underlying_type(t)
    found = type(None) if bare is None else get_origin(bare) or bare
    return found if inspect.isclass(found) else None


def _decoder(python_type: Any) -> Convert:
    t = get_underlying_type(python_type)
    special = _special_decoder(t)
    if special is not None:
        return special
    origin, arguments = get_origin(t) or t, get_args(t)
    if origin in _MAPPINGS:
        return _mapping(arguments, _decoders, _decoder, dict)
    if origin is tuple:
        return _tuple(arguments, _decoders, _decoder, tuple)
    if origin in _SEQUENCES:
        each = _kept(_decoders, arguments[0], _decoder) if arguments else _same
        result = _SEQUENCES[origin]
        return lambda value: result([each(item) for item in _listed(value, t)])
    if origin is typing.Literal or t is Any or t is object:
        return _same
    if origin is typing.Union or isinstance(t, types.UnionType):
        return _union_decoder(arguments)
    if inspect.isclass(t):
        return _class_decoder(t)
    raise BeyondRules(f"{t} has no rule")


def _listed(value: Any, t: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise TypeTransformerFailedError(f"expected the elements of {t}, got {value!r}")
    return value


def _special_decoder(t: Any) -> Convert | None:
    if t in {int, float, bool, bytes, bytearray}:
        return typing.cast(Convert, t)
    if t is str:
        return _same
    if t in {datetime.datetime, datetime.date, datetime.time}:
        return typing.cast(Convert, t.fromisoformat)
    if t is datetime.timedelta:
        return lambda value: datetime.timedelta(seconds=value)
    if t in {None, type(None)}:
        return _only_none
    return None


def _only_none(value: Any) -> None:
    if value is not None:
        raise TypeTransformerFailedError(f"expected nothing, got {value!r}")


def _class_decoder(t: type) -> Convert:
    if issubclass(t, enum.Enum | pathlib.PurePath | decimal.Decimal | uuid.UUID):
        return t
    if t is os.PathLike:
        return pathlib.Path
    if hasattr(t, "_deserialize"):
        return lambda value: t._deserialize({"path": value} if isinstance(value, str) else value)
    if dataclasses.is_dataclass(t):
        return _dataclass_decoder(t)
    if issubclass(t, tuple) and hasattr(t, "_fields"):
        hints = typing.get_type_hints(t)
        each = [_kept(_decoders, hints.get(name, Any), _decoder) for name in t._fields]
        return lambda value: t(*[convert(item) for convert, item in zip(each, value, strict=False)])
    raise BeyondRules(f"{t} has no rule")


def _dataclass_decoder(t: type) -> Convert:
    if uses_options(t):
        raise BeyondRules(f"{t} has options of mashumaro")
    each = {name: _kept(_decoders, hint, _decoder) for name, hint in hints_of(t).items()}
    taken = {field.name for field in dataclasses.fields(t) if field.init}

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeTransformerFailedError(f"expected the fields of {t.__name__}, got {value!r}")
        try:
            return t(**{name: each[name](value[name]) for name in taken if name in value})
        except TypeError as error:
            raise TypeTransformerFailedError(f"the data does not fit {t.__name__}: {error}") from error

    return convert


def _union_decoder(arguments: tuple[Any, ...]) -> Convert:
    plain = {int, float, bool, str, type(None)}

    def convert(value: Any) -> Any:
        if type(value) in plain and (type(value) in arguments or (value is None and None in arguments)):
            return value
        for argument in arguments:
            if argument in {int, bool, str} and type(value) is not argument:
                continue
            try:
                return decode(value, argument)
            except (TypeError, ValueError, AttributeError):
                continue
        for argument in arguments:
            try:
                return decode(value, argument)
            except (TypeError, ValueError, AttributeError):
                continue
        raise TypeTransformerFailedError(f"{value!r} is none of {arguments}")

    return convert
