"""Results of tasks with ``cache`` on this machine: one file each, below ``~/.flyte/local-cache``."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from flyteidl.core.literals_pb2 import Literal, LiteralMap

from flyte_kit.loggers import logger


def _folder() -> Path:
    return Path(os.environ.get("FLYTE_LOCAL_CACHE_DIR") or Path.home() / ".flyte" / "local-cache") / "kit"


def _plain(literal: Literal) -> Literal:
    # A value with a hash of its own (HashMethod) counts by that alone.
    result = Literal()
    if literal.hash:
        result.hash = literal.hash
        return result
    result.CopyFrom(literal)
    for each in result.collection.literals:
        each.CopyFrom(_plain(each))
    for key in list(result.map.literals):
        result.map.literals[key].CopyFrom(_plain(literal.map.literals[key]))
    return result


def cache_key(task: str, version: str, inputs: LiteralMap, ignored: tuple[str, ...]) -> str:
    """Return what a result is kept under: task, version, and inputs but the ignored ones."""
    counted = LiteralMap()
    for name in inputs.literals:
        if name not in ignored:
            counted.literals[name].CopyFrom(_plain(inputs.literals[name]))
    digest = hashlib.sha256(counted.SerializeToString(deterministic=True)).hexdigest()
    return hashlib.sha256(f"{task}\n{version}\n{digest}".encode()).hexdigest()


class LocalTaskCache:
    """The cache of this user."""

    @staticmethod
    def get(
        task_name: str, cache_version: str, input_literal_map: LiteralMap, cache_ignore_input_vars: tuple[str, ...]
    ) -> LiteralMap | None:
        """Return the result of an equal run; None if there is none."""
        path = _folder() / cache_key(task_name, cache_version, input_literal_map, cache_ignore_input_vars)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        logger.info("Cache hit of %s, version %s", task_name, cache_version)
        found: LiteralMap = LiteralMap.FromString(data)
        return found

    @staticmethod
    def set(
        task_name: str,
        cache_version: str,
        input_literal_map: LiteralMap,
        cache_ignore_input_vars: tuple[str, ...],
        value: LiteralMap,
    ) -> None:
        """Keep a result."""
        path = _folder() / cache_key(task_name, cache_version, input_literal_map, cache_ignore_input_vars)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(value.SerializeToString())
        os.replace(draft, path)

    @staticmethod
    def clear() -> None:
        """Forget every result."""
        shutil.rmtree(_folder(), ignore_errors=True)

    @staticmethod
    def initialize() -> None:
        """Make ready; there is nothing to do."""
