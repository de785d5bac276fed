"""Looks again and again, over short absences of the control plane."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import click
import grpc

ABSENCE_SECONDS = 60.0
"""How long a server may be away, for example while it is updated."""
PAUSE_SECONDS = 1.0

T = TypeVar("T")


class Patience:
    """Repeats what failed because the server was away, until it has been away for too long.

    The first look is not repeated: a server that was never there is no absence.

    :param limit: seconds
    :param sleep: waits that many seconds
    :param clock: seconds that only grow
    """

    def __init__(
        self,
        limit: float = ABSENCE_SECONDS,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._sleep, self._clock = limit, sleep, clock
        self._has_looked = False

    def look(self, function: Callable[[], T]) -> T:
        """Return what the function returns.

        :raises grpc.RpcError: its last error, when the server stays away; every other error at once
        """
        away_since: float | None = None
        while True:
            try:
                found = function()
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or not self._has_looked:
                    raise
                if away_since is None:
                    away_since = self._clock()
                    click.echo("flyte: the server does not answer; waiting for it", err=True)
                elif self._clock() - away_since > self._limit:
                    raise
                self._sleep(PAUSE_SECONDS)
            else:
                self._has_looked = True
                return found
