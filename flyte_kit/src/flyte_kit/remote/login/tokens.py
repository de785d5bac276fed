"""Access tokens, and the file that keeps those for which somebody had to log in by hand."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

MARGIN_SECONDS = 30
"""A token is not used any more that long before its end."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token.

    :ivar access: goes with calls; never shown
    :ivar refresh: gets another one without a login; empty where there is none
    :ivar expires_at: seconds since 1970; infinite where the server says nothing
    :ivar header: name of the metadata entry that carries it
    """

    access: str
    refresh: str = ""
    expires_at: float = math.inf
    header: str = "authorization"

    def __repr__(self) -> str:
        return f"Token(header={self.header!r}, expires_at={self.expires_at})"

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Entry that goes with calls; none once the token has come to its end."""
        if time.time() > self.expires_at - MARGIN_SECONDS:
            return ()
        return ((self.header, f"Bearer {self.access}"),)

    @classmethod
    def of_answer(cls, answer: dict[str, Any], header: str, refresh: str = "") -> Token:
        """Return the token of a server's answer.

        :param refresh: stays where the answer has no other
        """
        seconds = float(answer.get("expires_in") or math.inf)
        return cls(
            str(answer["access_token"]), str(answer.get("refresh_token") or refresh), time.time() + seconds, header
        )


class TokenKeeper(Protocol):
    """Port: keeps the token of one control plane from one process to the next."""

    def load(self) -> Token | None:
        """Return what was kept."""
        ...

    def save(self, token: Token) -> None:
        """Keep a token in place of the last."""
        ...


class NoKeeper:
    """Keeps nothing: what needs nobody's hand is asked for again."""

    def load(self) -> Token | None:
        """Return None."""
        return None

    def save(self, token: Token) -> None:
        """Do nothing."""


class FileKeeper:
    """Keeps tokens in a file that only its owner can read (``~/.flyte/tokens.json``), by address.

    :param endpoint: of the control plane
    """

    def __init__(self, endpoint: str, path: Path | None = None) -> None:
        self._endpoint = endpoint
        self._path = path or Path.home() / ".flyte" / "tokens.json"

    def load(self) -> Token | None:
        """Return the token of the address; a file that cannot be understood holds none."""
        kept = self._document().get(self._endpoint)
        if not isinstance(kept, dict):
            return None
        with contextlib.suppress(TypeError):
            return Token(**kept)
        return None

    def save(self, token: Token) -> None:
        """Replace the file as a whole."""
        document = {**self._document(), self._endpoint: dataclasses.asdict(token)}
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(document, file)
        new.replace(self._path)

    def _document(self) -> dict[str, Any]:
        try:
            document = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}
