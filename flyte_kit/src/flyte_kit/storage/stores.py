"""Which store serves which URI. One store per scheme and process; threads share it."""

from __future__ import annotations

import importlib
import re

from flyte_kit.storage.local import LocalStore
from flyte_kit.storage.ports import ObjectStore

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://")
_MODULES = {
    "s3": ("flyte_kit.storage.s3", "S3Store"),
    "s3a": ("flyte_kit.storage.s3", "S3Store"),
    "http": ("flyte_kit.storage.web", "WebStore"),
    "https": ("flyte_kit.storage.web", "WebStore"),
}
_LOCAL = LocalStore()
_known: dict[str, ObjectStore] = {}


def scheme(uri: str) -> str:
    """Return the scheme in lower case; empty for a plain path."""
    found = _SCHEME.match(uri)
    return found[1].lower() if found else ""


def is_remote(uri: object) -> bool:
    """Tell whether a path has a scheme other than ``file``."""
    return scheme(str(uri)) not in {"", "file"}


def store_of(uri: str) -> ObjectStore:
    """Return the store that serves ``uri``.

    :raises flyte_core.errors.ConfigError: if nothing that is installed serves its scheme
    """
    name = scheme(uri)
    if name in {"", "file"}:
        return _LOCAL
    if name not in _known:
        _known[name] = _new_store(name)
    return _known[name]


def register_store(name: str, store: ObjectStore) -> None:
    """Let ``store`` serve a scheme from now on, in place of what served it."""
    _known[name.lower()] = store


def forget_stores() -> None:
    """Make the next request read its settings anew; for tests and forks whose environment changed."""
    _known.clear()


def _new_store(name: str) -> ObjectStore:
    if name in _MODULES:
        module, factory = _MODULES[name]
        made: ObjectStore = getattr(importlib.import_module(module), factory)()
        return made
    other: ObjectStore = importlib.import_module("flyte_kit.storage.by_fsspec").FsspecStore(name)
    return other
