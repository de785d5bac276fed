"""What is on disk of one pod: its working folder, who runs its containers, how they ended."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Claim(NamedTuple):
    """The process that runs a container."""

    pid: int
    start: int
    boot: str


@dataclass(frozen=True, slots=True)
class AttemptFolder:
    """The folder of one pod, named by its uid."""

    path: Path

    @property
    def work(self) -> Path:
        """Working folder of the containers; also where code is unpacked."""
        return self.path / "work"

    def create(self, pod: dict[str, str]) -> None:
        """Make the folder; it may exist."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        self.work.mkdir(mode=0o700, exist_ok=True)
        (self.work / "tmp").mkdir(mode=0o700, exist_ok=True)
        (self.path / "pod.json").write_text(json.dumps(pod))

    def pod(self) -> dict[str, str]:
        """Return what :meth:`create` was told; empty when the server died in between."""
        try:
            named: dict[str, str] = json.loads((self.path / "pod.json").read_text())
            return named
        except (OSError, ValueError):
            return {}

    def claim_file(self, container: str) -> Path:
        """Return the file that the process creates before it does anything."""
        return self.path / f"{container}.claim"

    def exit_file(self, container: str) -> Path:
        """Return the file that is written when the process has ended."""
        return self.path / f"{container}.exit"

    def claim(self, container: str) -> Claim | None:
        """Return who runs the container, None while nobody does."""
        try:
            document = json.loads(self.claim_file(container).read_text())
            return Claim(int(document["pid"]), int(document["start"]), str(document["boot"]))
        except (OSError, ValueError, KeyError):
            return None

    def exit_code(self, container: str) -> int | None:
        """Return how the container ended; negative: by that signal; None when that is not known."""
        try:
            return int(json.loads(self.exit_file(container).read_text())["code"])
        except (OSError, ValueError, KeyError):
            return None

    def claims(self) -> list[Claim]:
        """Return the processes of all containers."""
        names = [file.stem for file in self.path.glob("*.claim")]
        return [claim for claim in map(self.claim, names) if claim is not None]

    def remove(self) -> None:
        """Delete the folder with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
