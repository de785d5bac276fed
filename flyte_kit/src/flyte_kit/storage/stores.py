"""Which store serves which URI. One store per scheme and file of keys; the threads of a process share it."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING

from flyte_kit.storage.local import LocalStore
from flyte_kit.storage.ports import ObjectStore

if TYPE_CHECKING:
    import pathlib

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://")
_S3 = {"s3", "s3a"}
_WEB = {"http", "https"}
_LOCAL = LocalStore()
_registered: dict[str, ObjectStore] = {}
_known: dict[tuple[str, pathlib.Path | None], ObjectStore] = {}


def scheme(uri: str) -> str:
    """Return the scheme in lower case; empty for a plain path."""
    found = _SCHEME.match(uri)
    return found[1].lower() if found else ""


def is_remote(uri: object) -> bool:
    """Tell whether a path has a scheme other than ``file``."""
    return scheme(str(uri)) not in {"", "file"}


def store_of(uri: str, keys_file: pathlib.Path | None = None) -> ObjectStore:
    """Return the store that serves ``uri``.

    :param keys_file: the configuration file whose keys are used; that of the process without it
    :raises flyte_core.errors.ConfigError: if nothing that is installed serves its scheme
    """
    name = scheme(uri)
    if name in {"", "file"}:
        return _LOCAL
    if name in _registered:
        return _registered[name]
    key = (name, keys_file if name in _S3 else None)
    if key not in _known:
        _known[key] = _new_store(*key)
    return _known[key]


def register_store(name: str, store: ObjectStore) -> None:
    """Let ``store`` serve a scheme from now on, in place of what served it."""
    _registered[name.lower()] = store


def forget_stores() -> None:
    """Make the next request read its settings anew; for tests and forks whose environment changed."""
    _registered.clear()
    _known.clear()


def _new_store(name: str, keys_file: pathlib.Path | None) -> ObjectStore:
    made: ObjectStore
    if name in _S3:
        made = importlib.import_module("flyte_kit.storage.s3").S3Store(keys_file=keys_file)
    elif name in _WEB:
        made = importlib.import_module("flyte_kit.storage.web").WebStore()
    else:
        made = importlib.import_module("flyte_kit.storage.by_fsspec").FsspecStore(name)
    return made
