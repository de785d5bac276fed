"""What is on disk of one pod: its working folder, who runs its containers, how they ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from flyte_propeller.adapters.embedded.processes import Claim

_SEAL = b"{}"
_GONE = ".gone"
"""Suffix of a folder that is being removed: nobody finds its claim files any more."""


class Ending(NamedTuple):
    """How a container ended.

    :ivar code: exit code; negative: by that signal
    :ivar reason: empty, or why it was ended (``OOMKilled``)
    """

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AttemptFolder:
    """The folder of one pod, named by its uid."""

    path: Path

    @property
    def work(self) -> Path:
        """Working folder of the containers; also where code is unpacked."""
        return self.path / "work"

    @property
    def temporary(self) -> Path:
        """Folder for temporary files of the containers."""
        return self.path / "tmp"

    @property
    def secrets(self) -> Path:
        """Folder of the secrets that the containers want as files."""
        return self.path / "secrets"

    @property
    def inputs(self) -> Path:
        """Folder of the inputs of a container that wants them as files."""
        return self.path / "inputs"

    @property
    def outputs(self) -> Path:
        """Folder where such a container leaves its outputs."""
        return self.path / "outputs"

    def create(self) -> None:
        """Make the folder; it may exist. The folders in it are made by who needs them."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.path, 0o700)

    def claim_file(self, container: str) -> Path:
        """Return the file that is created, once and for all, before the container's process is."""
        return self.path / f"{container}.claim"

    def exit_file(self, container: str) -> Path:
        """Return the file that is written when the process has ended."""
        return self.path / f"{container}.exit"

    def claim(self, container: str) -> Claim | None:
        """Return who runs the container; None while nobody does, or nobody has said so yet."""
        return self._process(container, "pid", "start")

    def warm_parent(self, container: str) -> Claim | None:
        """Return who forked that process, and writes down how it ends; None while that is not known."""
        return self._process(container, "parent", "parent_start")

    def _process(self, container: str, pid: str, start: str) -> Claim | None:
        try:
            document = json.loads(self.claim_file(container).read_bytes())
            return Claim(int(document[pid]), int(document[start]), str(document["boot"]))
        except (OSError, ValueError, KeyError):
            return None

    def is_sealed(self, container: str) -> bool:
        """Tell whether the container was never started, and never will be."""
        try:
            return self.claim_file(container).read_bytes() == _SEAL
        except OSError:
            return False

    def is_being_claimed(self, container: str) -> bool:
        """Tell whether a process has taken the container and has yet to write who it is."""
        try:
            with self.claim_file(container).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def ending(self, container: str) -> Ending | None:
        """Return how the container ended; None when that is not known."""
        try:
            document = json.loads(self.exit_file(container).read_bytes())
            return Ending(int(document["code"]), str(document["reason"]))
        except (OSError, ValueError, KeyError):
            return None

    def containers(self) -> list[str]:
        """Return the names of the containers that somebody has taken."""
        try:
            return [name.removesuffix(".claim") for name in os.listdir(self.path) if name.endswith(".claim")]
        except FileNotFoundError:
            return []

    def seal(self, containers: Iterable[str]) -> None:
        """Take the containers that nobody has, so that nobody ever starts them."""
        for container in containers:
            with (
                contextlib.suppress(FileExistsError, FileNotFoundError),
                self.claim_file(container).open("xb") as file,
            ):
                file.write(_SEAL)

    def hide(self) -> AttemptFolder:
        """Rename the folder, so that no process can be started in it any more, and return it."""
        hidden = self if self.path.name.endswith(_GONE) else AttemptFolder(self.path.with_name(self.path.name + _GONE))
        with contextlib.suppress(FileNotFoundError):
            os.rename(self.path, hidden.path)
        return hidden

    def remove(self) -> None:
        """Delete the folder with everything in it, write-protected folders too.

        :raises OSError: if something cannot be deleted
        """
        shutil.rmtree(self.path, onerror=_unprotect)


def _unprotect(function: Callable[..., Any], path: str, _: Any) -> None:
    """Delete again what could not be, once its folder lets it."""
    if not os.path.lexists(path):
        return
    os.chmod(os.path.dirname(path), 0o700)
    if os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, 0o700)
        shutil.rmtree(path)
    else:
        function(path)
