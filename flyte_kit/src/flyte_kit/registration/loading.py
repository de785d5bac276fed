"""Loads the modules of files and folders, so that their tasks and workflows are there."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

from flyte_core.errors import NotFound
from flyte_kit.registration.ignore_rules import IgnoreRules
from flyte_kit.registration.sources import project_root


def load_paths(
    paths: Iterable[Path], root: Path | None = None, on_error: Callable[[Path, Exception], None] | None = None
) -> list[ModuleType]:
    """Load the modules of files, and of all Python files below folders.

    :param root: folder from which module names count; found for each file without it
    :param on_error: is called with a file that cannot be loaded and what it raised, and the others go on
    :raises NotFound: if a path does not exist
    """
    modules: list[ModuleType] = []
    for path in paths:
        if not path.exists():
            raise NotFound(f"{path} does not exist")
        base = (root or project_root(path)).resolve()
        if str(base) not in sys.path:
            sys.path.insert(0, str(base))
        for file in _files(path.resolve(), base):
            try:
                modules.append(importlib.import_module(module_name(file, base)))
            except Exception as error:
                if on_error is None:
                    raise
                on_error(file, error)
    return modules


def module_name(file: Path, root: Path) -> str:
    """Return the name by which a file is imported.

    :raises NotFound: if it is not below ``root``
    """
    try:
        parts = file.relative_to(root).with_suffix("").parts
    except ValueError as error:
        raise NotFound(f"{file} is not below {root}") from error
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _files(path: Path, root: Path) -> list[Path]:
    if path.is_file():
        return [path]
    rules = IgnoreRules.of_folder(path)
    found = [file for file in sorted(path.rglob("*.py")) if not _left_out(rules, file, path)]
    return [file for file in found if all(part.isidentifier() for part in file.relative_to(root).with_suffix("").parts)]


def _left_out(rules: IgnoreRules, file: Path, folder: Path) -> bool:
    relative = file.relative_to(folder)
    parents = [parent.as_posix() for parent in relative.parents if parent.as_posix() != "."]
    return rules.leaves_out(relative.as_posix()) or any(rules.leaves_out(each, folder=True) for each in parents)


def load_packages(names: Iterable[str]) -> list[ModuleType]:
    """Load packages by name, with all modules in them."""
    modules = []
    for name in names:
        package = importlib.import_module(name)
        modules.append(package)
        for info in pkgutil.walk_packages(getattr(package, "__path__", []), prefix=f"{name}."):
            modules.append(importlib.import_module(info.name))
    return modules
