"""Modules that are imported when they are first used, so that importing the SDK stays cheap.

::

    if TYPE_CHECKING:
        import hashlib
    else:
        hashlib = deferred("hashlib")
"""

from __future__ import annotations

import importlib
from typing import Any


class _Deferred:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


def deferred(name: str) -> Any:
    """Return a stand-in for a module."""
    return _Deferred(name)
