"""Values from text that somebody typed."""

from __future__ import annotations

import datetime
import enum
import inspect
import json
from typing import Any, get_origin

from flyte_core.errors import InvalidInput
from flyte_kit.core.type_transformer import get_underlying_type, structures, type_name
from flyte_kit.transformers.unions import is_union, variants_of

_YES = {"true", "t", "yes", "y", "1", "on"}
_NO = {"false", "f", "no", "n", "0", "off"}


def value_of_text(text: str, python_type: Any) -> Any:
    """Return the value of a type that text stands for: plain for primitives, JSON for lists, maps and structures.

    :raises InvalidInput: saying what would be right
    """
    t = get_underlying_type(python_type)
    if is_union(t):
        return _of_union(text, t)
    try:
        return _of_type(text.strip() if t is not str else text, t)
    except InvalidInput:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput(f"{text[:200]!r} is no {type_name(t)}: {error}") from error


def _of_type(text: str, t: Any) -> Any:
    if t is str:
        return text
    if t is bool:
        word = text.lower()
        if word not in _YES | _NO:
            raise InvalidInput(f"{text[:200]!r} is no truth value: write true or false")
        return word in _YES
    if t in {int, float}:
        return t(text)
    if t is datetime.datetime:
        moment = datetime.datetime.now(datetime.UTC) if text == "now" else datetime.datetime.fromisoformat(text)
        return moment
    if t is datetime.date:
        return datetime.datetime.now(datetime.UTC).date() if text == "today" else datetime.date.fromisoformat(text)
    if t is datetime.timedelta:
        return _duration(text)
    if t is type(None):
        return _nothing(text)
    if inspect.isclass(t) and issubclass(t, enum.Enum):
        return t(text) if text in {member.value for member in t} else t[text]
    if get_origin(t) in {list, dict} or t in {list, dict} or hasattr(t, "__dataclass_fields__"):
        return _of_json(text, t)
    if hasattr(t, "model_validate_json"):
        return t.model_validate_json(text)
    return text


def _of_json(text: str, t: Any) -> Any:
    if hasattr(t, "_serialize"):
        return t(text)
    return structures().decode(json.loads(text), t)


def _nothing(text: str) -> None:
    if text.lower() not in {"none", "null", ""}:
        raise InvalidInput(f"{text[:200]!r} is not None")


def _of_union(text: str, t: Any) -> Any:
    variants = sorted(variants_of(t), key=lambda variant: variant is str)
    problems = []
    for variant in variants:
        try:
            return value_of_text(text, variant)
        except InvalidInput as error:
            problems.append(str(error))
    raise InvalidInput(f"{text[:200]!r} fits no variant of {t}: {'; '.join(problems)}")


def _duration(text: str) -> datetime.timedelta:
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "w": "weeks"}
    total, number = datetime.timedelta(), ""
    body = text.lower().removeprefix("p").replace("t", "")
    for letter in body.replace(" ", ""):
        if letter in units and number:
            total += datetime.timedelta(**{units[letter]: float(number)})
            number = ""
        else:
            number += letter
    if number:
        if total:
            raise InvalidInput(f"{text!r} is no duration: write 1h30m, PT90S or a number of seconds")
        return datetime.timedelta(seconds=float(number))
    return total
