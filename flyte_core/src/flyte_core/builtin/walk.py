"""Walks the files of a bucket in the order of their keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from flyte_core.builtin.file_names import decode, folder_path, goes_on


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder.

    :ivar key: of an object, or of all objects below a folder (it then ends in ``/``)
    :ivar found: where it is on disk
    :ivar folder: whether it is one
    """

    key: str
    found: os.DirEntry[str]
    folder: bool

    def status(self) -> os.stat_result:
        """Return the file's status, no link followed."""
        return self.found.stat(follow_symlinks=False)


def walk(top: str, prefix: str, after: str = "") -> Iterator[Entry]:
    """Yield the files whose keys start with ``prefix`` and are above ``after``, in order of key."""
    start, _, rest = prefix.rpartition("/")
    base = f"{start}/" if "/" in prefix else ""
    yield from _walk(_folder_of(top, base), base, base + rest, after)


def level(top: str, prefix: str, after: str = "") -> Iterator[Entry]:
    """Yield files and folders that start with ``prefix``, without descending: what a delimiter ``/`` leaves to see.

    A folder is yielded only if there is a file in it, above ``after``.
    """
    start, _, _ = prefix.rpartition("/")
    base = f"{start}/" if "/" in prefix else ""
    for entry in _entries(_folder_of(top, base), base):
        if not entry.key.startswith(prefix):
            continue
        if not entry.folder:
            shown = entry.key > after
        else:
            below = _walk(entry.found.path, entry.key, "", after)
            shown = _may_hold(entry, after) and next(below, None) is not None
        if shown:
            yield entry


def _may_hold(folder: Entry, after: str) -> bool:
    return folder.key > after or after.startswith(folder.key)


def _walk(folder: str, base: str, prefix: str, after: str) -> Iterator[Entry]:
    for entry in _entries(folder, base):
        if entry.folder:
            if entry.key.startswith(prefix) and _may_hold(entry, after):
                yield from _walk(entry.found.path, entry.key, "", after)
        elif entry.key.startswith(prefix) and entry.key > after:
            yield entry


def _entries(folder: str, base: str) -> list[Entry]:
    found = []
    for encoded, entry, is_folder in _names(folder, ""):
        name = decode(encoded, folder=is_folder)
        if name is not None:
            found.append(Entry(f"{base}{name}/" if is_folder else base + name, entry, is_folder))
    # Code points of Python strings sort as UTF-8 bytes do.
    return sorted(found, key=lambda entry: entry.key)


def _names(folder: str, start: str) -> Iterator[tuple[str, os.DirEntry[str], bool]]:
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            piece = goes_on(entry.name) if is_folder else None
            if piece is not None:
                yield from _names(entry.path, start + piece)
            else:
                yield start + entry.name, entry, is_folder


def _folder_of(top: str, base: str) -> str:
    names = base.split("/")[:-1]
    return "/".join([top, *(folder_path(name) for name in names)])
