"""The image table: which Python environment stands for a container image on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python environment.

    :ivar python: its interpreter
    """

    python: Path

    @property
    def scripts(self) -> Path:
        """The folder of its programs."""
        return self.python.parent

    def has_program(self, name: str) -> bool:
        """Tell whether it has that program of its own."""
        return (self.scripts / name).exists()


@dataclass(frozen=True, slots=True)
class ImageTable:
    """Image pattern → environment; the first that matches counts.

    :ivar rules: (glob over the image name, interpreter)
    :ivar default: for images that match none: the environment of this process
    """

    rules: Sequence[tuple[str, Path]] = ()
    default: Environment = field(default_factory=lambda: Environment(Path(sys.executable)))

    def find(self, image: str) -> Environment:
        """Return the environment that stands for the image."""
        for pattern, python in self.rules:
            if fnmatchcase(image, pattern):
                return Environment(python)
        return self.default

    def problem(self, image: str, program: str) -> str:
        """Return why the program cannot be run for this image, empty when it can.

        Only Python console scripts of Flyte are checked: other programs may come from PATH.
        """
        environment = self.find(image)
        if not environment.python.exists():
            return f"image {image!r} stands for {environment.python}, which does not exist (setting: --image)"
        if program.startswith(("pyflyte-", "flyte-")) and not environment.has_program(program):
            return (
                f"image {image!r} stands for the environment of {environment.python}, which has no {program}: "
                f"install flytekit or flyte-kit there, or map the image to another one with --image '{image}=PYTHON'"
            )
        return ""
