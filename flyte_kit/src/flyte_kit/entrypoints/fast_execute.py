"""``pyflyte-fast-execute``: fetches a task's code, unpacks it, and runs the task."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from collections.abc import Callable, Sequence

from flyte_core.errors import UserError
from flyte_kit.entrypoints.arguments import parse
from flyte_kit.entrypoints.execute import USAGE_ERROR, execute, map_execute
from flyte_kit.storage.stores import store_of

IN_PROCESS: dict[str, Callable[[Sequence[str]], int]] = {
    "pyflyte-execute": execute,
    "flyte-execute": execute,
    "pyflyte-map-execute": map_execute,
    "flyte-map-execute": map_execute,
}
"""Commands that go on in this process: no second interpreter is started."""


def fast_execute(argv: Sequence[str] | None = None) -> int:
    """Fetch and unpack the code, then run the command; return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = parse(words)
        distribution = arguments.required("additional-distribution")
        folder = arguments.required("dest-dir")
        unpack(store_of(distribution).read(distribution), folder)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_ERROR
    return run_command(with_distribution(arguments.rest, distribution, folder), os.path.abspath(folder))


def unpack(archive: bytes, folder: str) -> None:
    """Unpack a tarball, compressed or not; nothing in it can reach outside of the folder."""
    os.makedirs(folder, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
        tar.extractall(folder, filter="data")


def with_distribution(command: Sequence[str], distribution: str, folder: str) -> list[str]:
    """Return the command with the options by which a dynamic task hands its code on to the tasks that it makes."""
    words: list[str] = []
    for word in command:
        if word == "--resolver":
            words += ["--dynamic-addl-distro", distribution, "--dynamic-dest-dir", folder]
        words.append(word)
    return words


def run_command(command: Sequence[str], folder: str) -> int:
    """Run a command with the folder on the module path."""
    known = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([part for part in (known, folder) if part])
    if folder not in sys.path:
        sys.path.append(folder)
    sys.path_importer_cache.clear()
    if not command:
        sys.stderr.write("there is no command after --\n")
        return USAGE_ERROR
    inside = IN_PROCESS.get(command[0])
    if inside is not None:
        return inside(command[1:])
    os.execvp(command[0], list(command))
