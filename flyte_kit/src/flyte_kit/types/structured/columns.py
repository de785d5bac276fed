"""What ``Annotated`` states of a table: columns, format, Arrow schema."""

from __future__ import annotations

import dataclasses
import datetime
import sys
import typing
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from flyteidl.core.types_pb2 import LiteralType, SimpleType, StructuredDatasetType

from flyte_kit.core.type_transformer import annotations_of, get_underlying_type

_SIMPLE: dict[Any, int] = {
    str: SimpleType.STRING,
    int: SimpleType.INTEGER,
    float: SimpleType.FLOAT,
    bool: SimpleType.BOOLEAN,
    datetime.datetime: SimpleType.DATETIME,
    datetime.date: SimpleType.DATETIME,
    datetime.timedelta: SimpleType.DURATION,
}


@dataclass(frozen=True)
class Stated:
    """Facts of a table's type.

    :ivar base: type of the frame
    :ivar columns: Python type by name, in order
    :ivar arrow_schema: a ``pyarrow.Schema``
    """

    base: Any
    columns: Mapping[str, Any]
    format: str
    arrow_schema: Any


def stated(t: Any) -> Stated:
    """Take ``Annotated[frame, kwtypes(…), "csv", schema]`` apart.

    :raises ValueError: if something is stated twice
    """
    columns: Mapping[str, Any] | None = None
    format_, arrow_schema = "", None
    for each in annotations_of(t):
        if isinstance(each, str):
            if format_:
                raise ValueError(f"A format was already specified {format_}, cannot use {each}")
            format_ = each
        elif isinstance(each, Mapping):
            columns = OrderedDict(each)
        elif "pyarrow" in sys.modules and isinstance(each, sys.modules["pyarrow"].Schema):
            if arrow_schema is not None:
                raise ValueError(f"Arrow schema was already found {arrow_schema}, cannot use {each}")
            arrow_schema = each
        elif dataclasses.is_dataclass(each) or hasattr(each, "__annotations__"):
            columns = OrderedDict(typing.get_type_hints(each))
    return Stated(get_underlying_type(t), columns or {}, format_, arrow_schema)


def column_messages(columns: Mapping[str, Any]) -> list[StructuredDatasetType.DatasetColumn]:
    """Return the columns as the wire has them; nested ones by dotted names."""
    return [
        StructuredDatasetType.DatasetColumn(name=name, literal_type=_literal_type(t)) for name, t in _flat(columns, "")
    ]


def _flat(columns: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, t in columns.items():
        if isinstance(t, Mapping):
            found += _flat(t, f"{prefix}{name}.")
        elif dataclasses.is_dataclass(t):
            found += _flat(typing.get_type_hints(t), f"{prefix}{name}.")
        else:
            found.append((prefix + name, t))
    return found


def _literal_type(t: Any) -> LiteralType:
    if t in _SIMPLE:
        return LiteralType(simple=_SIMPLE[t])
    origin, arguments = get_origin(t), get_args(t)
    if origin is list and arguments:
        return LiteralType(collection_type=_literal_type(arguments[0]))
    if origin is dict and arguments:
        return LiteralType(map_value_type=_literal_type(arguments[1]))
    if "numpy" in sys.modules:
        numpy = sys.modules["numpy"]
        for kind, number in ((numpy.int64, SimpleType.INTEGER), (numpy.float64, SimpleType.FLOAT)):
            if t is kind:
                return LiteralType(simple=number)
    raise AssertionError(f"type {t} is currently not supported by StructuredDataset")
