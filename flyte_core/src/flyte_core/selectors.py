"""Kubernetes label selectors: ``a=b,c!=d,e in (f,g),k notin (x),m,!h``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from flyte_core.errors import InvalidInput

LabelTest: TypeAlias = Callable[[Mapping[str, str]], bool]

_KEY = r"[A-Za-z0-9][A-Za-z0-9_./-]*"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*([A-Za-z0-9_.-]*)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_COMMA = re.compile(r",(?![^()]*\))")


@lru_cache(maxsize=256)
def compile_selector(text: str) -> LabelTest:
    """Return the test that a selector stands for; the empty selector matches everything.

    As in Kubernetes, ``!=`` and ``notin`` match objects without the label too.

    :raises InvalidInput: naming the first requirement that cannot be read
    """
    tests = [_requirement(part.strip()) for part in _COMMA.split(text)] if text.strip() else []
    if len(tests) == 1:
        return tests[0]
    return lambda labels: all(test(labels) for test in tests)


def _requirement(text: str) -> LabelTest:
    if match := _SET.fullmatch(text):
        key, operator, listed = match.groups()
        values = frozenset(value.strip() for value in listed.split(","))
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUAL.fullmatch(text):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.fullmatch(text):
        negated, key = match.groups()
        if negated:
            return lambda labels: key not in labels
        return lambda labels: key in labels
    raise InvalidInput(f"label selector: cannot read {text[:256]!r}; known forms are k=v, k!=v, k in (a,b), k, !k")
