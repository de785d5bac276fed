"""JSON bodies into protobuf messages; too deep ones, doubled keys and trailing data are refused."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from flyte_core.errors import InvalidInput

DEEPEST = 64
"""Levels of nesting of a JSON body."""

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NOT_BRACKETS = re.compile(rb"[^\[\]{}]+")


def read_json(data: bytes, message: Message) -> None:
    """Merge a JSON object into ``message``; keys are proto names or lowerCamel.

    :raises InvalidInput: saying what is wrong with it
    """
    _check_depth(data)
    try:
        values = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise InvalidInput("the body is not UTF-8") from error
    except ValueError as error:
        raise InvalidInput(f"the body is not JSON: {str(error)[:256]}") from error
    if not isinstance(values, dict):
        raise InvalidInput("the body is not a JSON object")
    try:
        ParseDict(values, message)
    except ParseError as error:
        raise InvalidInput(f"the body does not fit {message.DESCRIPTOR.full_name}: {str(error)[:512]}") from error


def _check_depth(data: bytes) -> None:
    depth = 0
    for bracket in _NOT_BRACKETS.sub(b"", _STRINGS.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            raise InvalidInput(f"the body nests deeper than {DEEPEST} levels")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidInput(f"the body has the key {twice[:256]!r} twice in one object")
    return result


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
