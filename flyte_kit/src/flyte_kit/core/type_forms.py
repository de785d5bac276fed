"""Types made at run time, in the spelling that flytekit shows them in."""

from __future__ import annotations

import typing
from typing import Any


def list_of(element: Any) -> Any:
    """Return the type of lists of an element."""
    form: Any = typing.List  # noqa: UP006 - names of types reach error messages
    return form[element]


def optional_of(element: Any) -> Any:
    """Return the type of an element that may be None."""
    form: Any = typing.Optional
    return form[element]


def dict_of(value: Any) -> Any:
    """Return the type of dictionaries whose keys are text."""
    form: Any = typing.Dict  # noqa: UP006 - names of types reach error messages
    return form[str, value]
