"""Names: in which module something is, and which variable holds it."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from flyte_kit.core.constants import wire_name
from flyte_kit.exceptions.system import FlyteSystemException
from flyte_kit.loggers import logger

PACKAGE_ROOT = "FLYTE_PYTHON_PACKAGE_ROOT"


class InstanceTrackingMeta(type):
    """Makes instances remember the module in which they were made."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an instance."""
        made = super().__call__(*args, **kwargs)
        made._instantiated_in = _making_module(sys._getframe(1))
        return made


def _making_module(frame: FrameType | None) -> str | None:
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            name: str | None = frame.f_globals.get("__name__")
            return name
        frame = frame.f_back
    return None


class TrackedInstance(metaclass=InstanceTrackingMeta):
    """Something that is found again by the variable of a module that holds it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._instantiated_in: str | None = None
        self._lhs: str | None = None
        super().__init__(*args, **kwargs)

    @property
    def instantiated_in(self) -> str | None:
        """Module in which it was made."""
        return self._instantiated_in

    @property
    def location(self) -> str:
        """Module and variable, as the wire names them."""
        return wire_name(extract_task_module(self)[0])

    @property
    def lhs(self) -> str:
        """Variable that holds it."""
        return self.find_lhs()

    def find_lhs(self) -> str:
        """Return the variable that holds it.

        :raises FlyteSystemException: if no variable of the module does
        """
        if self._lhs is not None:
            return self._lhs
        if not self._instantiated_in:
            raise FlyteSystemException(f"{self} was not made in a module, so that nothing could load it again")
        module = importlib.import_module(self._instantiated_in)
        for name, value in vars(module).items():
            if value is self:
                self._lhs = name
                return name
        raise FlyteSystemException(f"No variable of {self._instantiated_in} holds {self}: assign it to one")


def isnested(func: Callable[..., Any]) -> bool:
    """Tell whether a function is defined within another."""
    code = getattr(func, "__code__", None)
    return code is not None and code.co_flags & inspect.CO_NESTED != 0


def is_functools_wrapped_module_level(func: Callable[..., Any]) -> bool:
    """Tell whether a wrapper stands for a function of the module (``functools.wraps``)."""
    return hasattr(func, "__wrapped__") and func.__name__ == func.__qualname__


def istestfunction(func: Callable[..., Any]) -> bool:
    """Tell whether a function is in a module of tests."""
    name = (getattr(func, "__module__", "") or "").rsplit(".", 1)[-1]
    return name.startswith("test_") or name.endswith("_test")


@functools.cache
def module_name_of_path(path: str, root: str | None) -> str:
    """Return the module name of a file: folders count as long as they are packages.

    :param root: folder at which packages begin
    """
    folder, name = os.path.split(os.path.splitext(path)[0])
    if folder == root or not os.path.isdir(folder) or not os.path.exists(os.path.join(folder, "__init__.py")):
        return name
    return f"{module_name_of_path(folder, root)}.{name}"


def full_module_name(file: str, name: str) -> str:
    """Return a module's full name, whatever name it was imported by.

    ``FLYTE_PYTHON_PACKAGE_ROOT`` is ``auto``, a folder, or ``.`` to keep the name it was imported by.
    """
    setting = os.environ.get(PACKAGE_ROOT, "auto")
    if setting == ".":
        return name
    found = module_name_of_path(os.path.abspath(file), None if setting == "auto" else setting)
    return found if len(found) > len(name) else name


def extract_task_module(f: Any) -> tuple[str, str, str, str]:
    """Return full name, module, name and file of a function, or of an instance that a variable holds.

    :raises AssertionError: if its module cannot be told
    """
    function = getattr(f, "task_function", None) if isinstance(f, TrackedInstance) else f
    if function is not None:
        module_name, name = function.__module__, function.__name__.split(".")[-1]
    elif f.instantiated_in:
        module_name, name = f.instantiated_in, f.lhs
    else:
        raise AssertionError(f"Unable to determine module of {f}")
    module = sys.modules.get(module_name)
    file = getattr(module, "__file__", None)
    if file is None and function is not None and hasattr(inspect.unwrap(function), "__code__"):
        file = inspect.unwrap(function).__code__.co_filename
    if file is None or not os.path.exists(file):
        logger.debug("%s is not from a file; its module is taken as it is", f)
        return (name, "", name, "") if module_name == "__main__" else (f"{module_name}.{name}", module_name, name, "")
    if module_name == "__main__":
        module_name = os.path.splitext(os.path.basename(file))[0]
    full = full_module_name(file, module_name)
    return f"{full}.{name}", full, name, os.path.abspath(file)
