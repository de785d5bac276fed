"""Prepares a container's command: what ``pyflyte-fast-execute`` does, done here, in a folder of the attempt's own.

Upstream's program unpacks the code over ``--dest-dir``, which is ``/root`` for registered code, and then starts a
second interpreter. Here the code is unpacked into the attempt's folder whatever the command line says, and the inner
command is what the warm parent runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flyte_core.errors import InvalidInput, Unavailable
from flyte_core.storage import BlobStore
from flyte_propeller.adapters.embedded.archive import extract

FAST_EXECUTE = ("pyflyte-fast-execute", "flyte-fast-execute")
DISTRIBUTION_LIMIT = 512 * 2**20
"""Bytes of one code archive."""
PICKLE = "pkl.gz"
"""Name of the code of a notebook with stock flytekit: one pickle and no archive, left as it is in the task's folder."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A command that is ready to run.

    :ivar python_path: folders for PYTHONPATH
    """

    argv: tuple[str, ...]
    python_path: tuple[str, ...] = ()


async def prepare(argv: Sequence[str], folder: Path, store: BlobStore) -> Prepared:
    """Fetch and unpack the code where the command asks for it, and return the command to run.

    :param folder: where code is unpacked; made if there is any

    :raises flyte_core.errors.InvalidInput: if the command line or the archive is malformed
    :raises flyte_core.errors.NotFound: if the archive is not in the object store
    """
    if not argv:
        raise InvalidInput("the container has no command")
    if Path(argv[0]).name not in FAST_EXECUTE:
        return Prepared(tuple(argv))
    if "--" not in argv:
        raise InvalidInput(f"{argv[0]}: there is no command after --")
    separator = list(argv).index("--")
    options, inner = list(argv[1:separator]), list(argv[separator + 1 :])
    distribution = _option(options, "--additional-distribution")
    if not distribution:
        return Prepared(tuple(inner))
    data = await store.read(distribution, limit=DISTRIBUTION_LIMIT)
    await asyncio.to_thread(_unpack, data, folder, pickled=distribution.rpartition("/")[2] == PICKLE)
    target = _option(options, "--dest-dir") or "."
    return Prepared(tuple(_with_dynamic(inner, distribution, target)), (str(folder),))


def _unpack(data: bytes, folder: Path, *, pickled: bool) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be made: {error.strerror}") from error
    if not pickled:
        extract(data, folder)
        return
    try:
        (folder / PICKLE).write_bytes(data)
    except OSError as error:
        raise Unavailable(f"the code cannot be written to {folder}: {error.strerror}") from error


def _option(options: Sequence[str], name: str) -> str:
    for position, word in enumerate(options):
        if word == name and position + 1 < len(options):
            return options[position + 1]
        if word.startswith(f"{name}="):
            return word.split("=", 1)[1]
    return ""


def _with_dynamic(inner: list[str], distribution: str, target: str) -> list[str]:
    """Tell the inner command where its code came from, for tasks that a dynamic task makes (upstream's rule).

    :param target: as the command line says it: what a dynamic task makes must not name the folder of its own attempt
    """
    added = ["--dynamic-addl-distro", distribution, "--dynamic-dest-dir", target]
    if "--resolver" in inner:
        position = inner.index("--resolver")
        return [*inner[:position], *added, *inner[position:]]
    return inner
