"""Reads lists of the control plane page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flyte_cli.client.connection import CALL_SECONDS

PAGE = 100
"""Rows asked for at a time."""


def pages(
    method: Any, request: Any, field: str, limit: int | None = None, *, seconds: float = CALL_SECONDS
) -> Iterator[Any]:
    """Yield the rows of all pages of a List method, up to ``limit``.

    :param request: changed in place: its limit and token are those of the page being read
    :param field: of the answer that holds the rows
    :param limit: None for all rows
    :param seconds: deadline of each call
    """
    left = limit
    while left is None or left > 0:
        request.limit = PAGE if left is None else min(left, PAGE)
        answer = method(request, timeout=seconds)
        rows = getattr(answer, field)
        yield from rows[:left]
        if not answer.token:
            return
        request.token = answer.token
        left = None if left is None else left - len(rows)
