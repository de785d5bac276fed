"""``FlyteFile["csv"]``: one subclass per format, the same one each time."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

_made: dict[tuple[type, str], type] = {}


class FileExt:
    """A format as an annotation, which type checkers take: ``CSV = Annotated[str, FileExt("csv")]``.

    ``FlyteFile[CSV]`` is then a file of that format.

    :param ext: e.g. ``tar.gz``
    """

    def __init__(self, ext: str) -> None:
        self._ext = ext

    def __str__(self) -> str:
        return self._ext

    def __repr__(self) -> str:
        return f"FileExt({self._ext!r})"


def format_name(item: Any) -> str:
    """Return the format that stands in the brackets: text, annotated text, a type variable or a class.

    :raises ValueError: for an annotation of something else than ``str``
    """
    if get_origin(item) is Annotated:
        base, *notes = get_args(item)
        if base is not str:
            raise ValueError(f"a format is an annotated str: Annotated[str, FileExt(…)], not Annotated[{base}, …]")
        return str(notes[0])
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
