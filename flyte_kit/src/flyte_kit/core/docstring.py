"""Descriptions of a function, its parameters and its results, from its docstring.

Three notations are read: reST fields (``:param x: …``), Google's sections (``Args:``) and numpy's (underlined).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_FIELD = r"^:(param|parameter|arg|argument|key|returns?|rtype|raises?|type|yields?)\b\s*([^:]*):\s*(.*)$"
_GOOGLE = r"^(Args|Arguments|Parameters|Params|Returns?|Yields?|Raises|Attributes|Examples?|Notes?):\s*$"
_GOOGLE_ITEM = r"^(\*{0,2}\w+)\s*(?:\(([^)]*)\))?\s*:\s*(.*)$"
_NUMPY_ITEM = r"^(\*{0,2}\w+)\s*(?::\s*(.*))?$"
_NUMPY = {"Parameters": "param", "Other Parameters": "param", "Returns": "return", "Yields": "return"}
_INPUTS = {"Args", "Arguments", "Parameters", "Params"}
_OUTPUTS = {"Return", "Returns", "Yield", "Yields"}


@dataclass
class _Parsed:
    short: str | None = None
    long: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    returns: list[tuple[str | None, str]] = field(default_factory=list)


class Docstring:
    """A docstring taken apart.

    :param docstring: the text; that of ``callable_`` without it
    """

    def __init__(self, docstring: str | None = None, callable_: Callable[..., Any] | None = None) -> None:
        text = docstring if docstring is not None else getattr(callable_, "__doc__", None)
        self._parsed = _parse(inspect.cleandoc(text)) if text else _Parsed()

    @property
    def input_descriptions(self) -> dict[str, str]:
        """Description by parameter."""
        return self._parsed.params

    @property
    def output_descriptions(self) -> dict[str | None, str]:
        """Description by the name of a result; by None for a result without a name."""
        return dict(self._parsed.returns)

    @property
    def short_description(self) -> str | None:
        """First line."""
        return self._parsed.short

    @property
    def long_description(self) -> str | None:
        """What stands between the first line and the parameters."""
        return self._parsed.long


def _parse(text: str) -> _Parsed:
    lines = text.splitlines()
    start = next((i for i in range(len(lines)) if _begins_section(lines, i)), len(lines))
    parsed = _Parsed()
    head = "\n".join(lines[:start]).strip("\n")
    first, _, rest = head.partition("\n")
    parsed.short = first.strip() or None
    parsed.long = rest.strip() or None
    _sections(lines[start:], parsed)
    return parsed


def _begins_section(lines: list[str], index: int) -> bool:
    line = lines[index]
    if re.match(_FIELD, line) or re.match(_GOOGLE, line):
        return True
    under = lines[index + 1].strip() if index + 1 < len(lines) else ""
    return bool(line.strip() in _NUMPY or line.strip() in {"Raises", "Notes", "Examples"}) and set(under) == {"-"}


def _sections(lines: list[str], parsed: _Parsed) -> None:
    index = 0
    while index < len(lines):
        end = next((i for i in range(index + 1, len(lines)) if _begins_section(lines, i)), len(lines))
        block = lines[index:end]
        rest, google = re.match(_FIELD, block[0]), re.match(_GOOGLE, block[0])
        if rest:
            _rest_field(rest, block[1:], parsed)
        elif google:
            _items(google[1], block[1:], parsed, google=True)
        else:
            _items(block[0].strip(), block[2:], parsed, google=False)
        index = end


def _rest_field(match: re.Match[str], more: list[str], parsed: _Parsed) -> None:
    text = "\n".join([match[3], *(line.strip() for line in more)]).strip()
    kind, name = match[1], match[2].split()
    if kind in {"param", "parameter", "arg", "argument", "key"} and name:
        parsed.params[name[-1]] = text
    elif kind.startswith(("return", "yield")):
        parsed.returns.append((name[-1] if name else None, text))


def _items(title: str, block: list[str], parsed: _Parsed, *, google: bool) -> None:
    for name, kind, text in _entries(block, google=google, named=title in _INPUTS or not google):
        if title in _INPUTS or title == "Other Parameters":
            parsed.params[name.lstrip("*")] = text
        elif title in _OUTPUTS:
            named = bool(kind) if not google else False
            parsed.returns.append((name if named else None, text))


def _entries(block: list[str], *, google: bool, named: bool) -> list[tuple[str, str, str]]:
    lines = [line for line in block if line.strip()]
    if not lines:
        return []
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    found: list[tuple[str, str, list[str]]] = []
    for line in lines:
        bare = line[margin:]
        match = re.match(_GOOGLE_ITEM if google else _NUMPY_ITEM, bare) if not bare.startswith(" ") else None
        if match and google:
            found.append((match[1], match[2] or "", [match[3]]))
        elif match and not google:
            found.append((match[1], match[2] or "", []))
        elif found:
            found[-1][2].append(bare.strip())
        else:
            found.append(("", "", [bare.strip()]))
    return [(name, kind, "\n".join(text).strip()) for name, kind, text in found]
