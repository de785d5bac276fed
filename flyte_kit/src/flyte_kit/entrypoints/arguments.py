"""Arguments of the entrypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flyte_core.errors import InvalidInput

_FLAGS = {"--test"}


@dataclass(frozen=True)
class Arguments:
    """A command line, taken apart.

    :ivar options: by name, without the dashes
    :ivar rest: what follows ``--``
    """

    options: dict[str, str]
    rest: list[str]

    def required(self, name: str) -> str:
        """Return an option.

        :raises InvalidInput: if it is not there
        """
        value = self.options.get(name)
        if value is None:
            raise InvalidInput(f"missing option --{name}")
        return value


def parse(argv: Sequence[str]) -> Arguments:
    """Take ``--name value … -- rest`` apart; without ``--`` the rest begins at the first word that is no option.

    :raises InvalidInput: if an option has no value
    """
    options: dict[str, str] = {}
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            break
        if not word.startswith("--"):
            words.insert(0, word)
            break
        name, equals, value = word[2:].partition("=")
        if word in _FLAGS:
            options[name] = "true"
        elif equals:
            options[name] = value
        elif words:
            options[name] = words.pop(0)
        else:
            raise InvalidInput(f"option {word} has no value")
    return Arguments(options, words)
