"""Collects what a suite finds, so that one run tells everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Nonconforming(AssertionError):
    """A plugin breaks the contract of its port; the text lists every finding."""


class Findings:
    """What is wrong with one plugin object, as far as it was looked at."""

    def __init__(self, subject: object) -> None:
        self._subject = subject
        self._found: list[str] = []

    def expect(self, *, that: bool, otherwise: str) -> None:
        """Note ``otherwise`` unless ``that`` holds."""
        if not that:
            self._found.append(otherwise)

    @contextmanager
    def attempt(self, what: str, *allowed: type[Exception]) -> Iterator[None]:
        """Note what is raised within, unless it is one of ``allowed``."""
        try:
            yield
        except allowed:
            return
        except Exception as error:  # noqa: BLE001 - the finding is what is looked for
            self._found.append(f"{what} raised {type(error).__name__}: {error}")

    @contextmanager
    def demand(self, what: str, wanted: type[Exception]) -> Iterator[None]:
        """Note it when ``wanted`` is not raised within."""
        try:
            yield
        except wanted:
            return
        except Exception as error:  # noqa: BLE001 - the finding is what is looked for
            self._found.append(f"{what} raised {type(error).__name__}, not {wanted.__name__}: {error}")
            return
        self._found.append(f"{what} raised nothing, not {wanted.__name__}")

    def close(self) -> None:
        """Raise what was found, if anything was."""
        if self._found:
            raise Nonconforming(f"{type(self._subject).__name__}:\n" + "\n".join(f"- {text}" for text in self._found))
