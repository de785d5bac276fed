"""The filter language of all List methods: ``function(field,value)`` joined with ``+``, list values with ``;``.

Upstream's language with two mercies: a ``+`` within a value (a time zone) does not end the term, and in ``contains``
the wildcards of SQL mean themselves. What a client sends never becomes SQL text: fields are looked up among the
table's columns, values are bound parameters of the column's type.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, LargeBinary

from flyte_admin.db.columns import UtcTime
from flyte_core.errors import InvalidInput
from flyte_core.go_durations import parse_duration

LONGEST_FILTERS = 64 * 1024
"""Longest text of filters, in characters."""

_INT64 = 2**63

_Column = ColumnElement[Any]

_COMPARISONS: dict[str, Callable[[_Column, Any], ColumnElement[bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_TEXT: dict[str, Callable[[_Column, str], ColumnElement[bool]]] = {
    "contains": lambda column, value: column.contains(value, autoescape=True),
    "not_like": lambda column, value: column.not_like(value.replace("\\", "\\\\"), escape="\\"),
}
_LISTS: dict[str, Callable[[_Column, list[Any]], ColumnElement[bool]]] = {
    "value_in": lambda column, values: column.in_(values),
    "value_not_in": lambda column, values: column.not_in(values),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """One term: ``gte(execution.created_at,2024-01-01)``.

    :ivar entity: the prefix of the field (``execution``); empty where there is none
    """

    function: str
    entity: str
    field: str
    value: str


def parse_filters(text: str) -> list[Filter]:
    """Return the terms of a request's ``filters``.

    :raises InvalidInput: if the text is malformed or names an unknown function
    """
    if not text:
        return []
    if len(text) > LONGEST_FILTERS:
        raise InvalidInput(f"filters: {len(text)} characters, at most {LONGEST_FILTERS} are allowed", field="filters")
    return [_parse_term(term) for term in re.split(r"(?<=\))\+", text)]


def _parse_term(term: str) -> Filter:
    function, _, rest = term.strip().partition("(")
    path, comma, value = rest[:-1].partition(",")
    value = value.removeprefix(" ")
    if not (function and rest.endswith(")") and comma and path and value):
        raise InvalidInput(f"invalid value for filters: {term[:256]!r} is not function(field,value)", field="filters")
    function = function.strip().lower()
    if function not in _COMPARISONS.keys() | _TEXT.keys() | _LISTS.keys():
        raise InvalidInput(f"unrecognized filter function: {function[:256]}", field="filters")
    entity, _, field = path.strip().rpartition(".")
    return Filter(function, entity, field, value)


def condition(term: Filter, column: _Column) -> ColumnElement[bool]:
    """Return the SQL condition of a term on the column that its field names.

    :raises InvalidInput: if the value does not fit the column's type
    """
    if term.function in _LISTS:
        return _LISTS[term.function](column, [_typed(term, column, part) for part in term.value.split(";")])
    if term.function in _TEXT:
        if isinstance(column.type, Integer | UtcTime):
            raise _unfit(term, f"{term.function} needs a text column")
        return _TEXT[term.function](column, _text(term, term.value))
    return _COMPARISONS[term.function](column, _typed(term, column, term.value))


def is_filterable(column: _Column) -> bool:
    """Tell whether clients may filter and sort by the column: serialized messages are not for that."""
    return not isinstance(column.type, LargeBinary)


def _typed(term: Filter, column: _Column, text: str) -> Any:
    if isinstance(column.type, UtcTime):
        return _time(term, text)
    if isinstance(column.type, BigInteger) and term.field == "duration":
        return _nanoseconds(term, text)
    if isinstance(column.type, Integer):
        return _integer(term, text)
    return _text(term, text)


def _text(term: Filter, text: str) -> str:
    if "\0" in text:
        raise _unfit(term, "a NUL character is in no name")
    return text


def _integer(term: Filter, text: str) -> int:
    try:
        value = int(text)
    except ValueError as error:
        raise _unfit(term, "not an integer") from error
    if not -_INT64 <= value < _INT64:
        raise _unfit(term, "not a 64-bit integer")
    return value


def _time(term: Filter, text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text.strip())
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _unfit(term, "not a time as in 2024-01-31T12:00:00Z") from error


def _nanoseconds(term: Filter, text: str) -> int:
    text = text.strip().lower()
    try:
        seconds = float(text)
    except ValueError:
        try:
            return parse_duration(text)
        except InvalidInput as error:
            raise _unfit(term, f"not a duration as in 90, 1.5 or 1h30m ({error})") from None
    else:
        nanoseconds = seconds * 1e9
    if not abs(nanoseconds) < _INT64:  # NaN and infinities too
        raise _unfit(term, "a duration beyond 292 years")
    return int(nanoseconds)


def _unfit(term: Filter, reason: str) -> InvalidInput:
    return InvalidInput(
        f"invalid value for filters: {term.value[:256]!r} does not fit {term.field}: {reason}", field="filters"
    )
