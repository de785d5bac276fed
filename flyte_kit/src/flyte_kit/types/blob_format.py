"""``FlyteFile["csv"]``: one subclass per format, the same one each time."""

from __future__ import annotations

from typing import Any

_made: dict[tuple[type, str], type] = {}


def format_name(item: Any) -> str:
    """Return the format that stands in the brackets: text, a type variable or a class."""
    name = item if isinstance(item, str) else getattr(item, "__name__", str(item))
    return name.strip().lstrip("~").lstrip(".")


def with_format(cls: type, item: Any) -> type:
    """Return the subclass of ``cls`` for a format; ``cls`` itself for an empty one."""
    name = format_name(item)
    if not name:
        return cls
    if (cls, name) not in _made:
        body = {"extension": classmethod(lambda kind: name), "__origin_class__": cls, "__module__": cls.__module__}
        _made[cls, name] = type(cls.__name__, (cls,), body)
    return _made[cls, name]
