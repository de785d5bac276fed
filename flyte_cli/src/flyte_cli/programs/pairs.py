"""``KEY=VALUE`` options."""

from __future__ import annotations

from collections.abc import Iterable

import click


def pairs_of(texts: Iterable[str], option: str) -> dict[str, str]:
    """Return the pairs by key.

    :raises click.BadParameter: naming the option, if one has no ``=`` or no key
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{text!r} is no KEY=VALUE", param_hint=option)
        found[key] = value
    return found
