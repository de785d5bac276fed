"""Which files are a program's code."""

from __future__ import annotations

import enum
import hashlib
import os
import site
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from flyte_kit.registration.ignore_rules import IgnoreRules


class CopyFileDetection(enum.Enum):
    """Which files go with the code."""

    LOADED_MODULES = 1
    ALL = 2
    NO_COPY = 3


def project_root(file: Path) -> Path:
    """Return the folder from which the module names of a file count: the first above it that is no package."""
    folder = file.resolve().parent if file.is_file() else file.resolve()
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def source_files(root: Path, copy: CopyFileDetection, *, deref_symlinks: bool = False) -> list[str]:
    """Return the files that go with the code, as sorted paths within ``root``."""
    if copy is CopyFileDetection.NO_COPY:
        return []
    rules = IgnoreRules.of_folder(root)
    if copy is CopyFileDetection.LOADED_MODULES:
        return sorted(path for path in _loaded(root) if not rules.leaves_out(path))
    return sorted(_walk(root, rules, deref_symlinks=deref_symlinks))


def _walk(root: Path, rules: IgnoreRules, *, deref_symlinks: bool) -> Iterator[str]:
    for folder, folders, names in os.walk(root, followlinks=deref_symlinks):
        base = Path(folder).relative_to(root).as_posix()
        prefix = "" if base == "." else base + "/"
        folders[:] = sorted(each for each in folders if not rules.leaves_out(prefix + each, folder=True))
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not rules.leaves_out(prefix + name):
                yield prefix + name


def _loaded(root: Path) -> Iterator[str]:
    inside = str(root.resolve()) + os.sep
    libraries = tuple(str(Path(each).resolve()) + os.sep for each in _libraries())
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str):
            continue
        path = os.path.realpath(file)
        if path.startswith(inside) and not path.startswith(libraries) and os.path.isfile(path):
            yield Path(path).relative_to(root.resolve()).as_posix()


def _libraries() -> list[str]:
    paths = sysconfig.get_paths()
    known = [
        *site.getsitepackages(),
        site.getusersitepackages(),
        paths["stdlib"],
        paths["platstdlib"],
        paths["purelib"],
    ]
    return [*known, str(Path(sys.executable).parent)]


def digest(root: Path, files: list[str]) -> str:
    """Return the md5 of files: of their names, contents, and whether they can be executed."""
    result = hashlib.md5(usedforsecurity=False)
    for name in files:
        path = root / name
        result.update(name.encode() + b"\0" + (b"x" if os.access(path, os.X_OK) else b"-"))
        result.update(hashlib.md5(path.read_bytes(), usedforsecurity=False).digest())
    return result.hexdigest()
