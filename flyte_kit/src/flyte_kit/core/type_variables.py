"""The type variables of entities: what calling one takes and returns, for type checkers.

Each has a default (PEP 696), so that ``LaunchPlan`` or ``FlyteFile`` alone is a whole type under strict checkers, and
``PythonFunctionTask[Config]``, as plugins for flytekit write it, is one too. Interpreters before 3.13 have no defaults;
they need none, since nothing reads these parameters when a program runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import ParamSpec, TypeVar

    P = ParamSpec("P", default=...)
    R = TypeVar("R", default=Any)
    T = TypeVar("T", default=Any)
else:
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")
    T = TypeVar("T")

__all__ = ["P", "R", "T"]
