"""Reads the logs of attempts: which there are, and what is new in each."""

from __future__ import annotations

import itertools
import urllib.error
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flyteidl.admin.task_execution_pb2 import TaskExecution

from flyte_cli.client.web_reading import open_url

PIECE = 1 << 16
"""Bytes read at a time."""


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log, and whose it is.

    :ivar element: index within an array; empty for other tasks
    :ivar name: of the log, which tells those of one attempt apart
    """

    execution: str
    node: str
    attempt: int
    element: str
    name: str
    uri: str


def log_sources(row: TaskExecution) -> Iterator[LogSource]:
    """Yield the logs of an attempt; of an array also those of its elements, which have attempts of their own."""
    node = row.id.node_execution_id
    where = (node.execution_id.name, node.node_id)
    for log in row.closure.logs:
        yield LogSource(*where, row.id.retry_attempt, "", log.name, log.uri)
    for part in row.closure.metadata.external_resources:
        for log in part.logs:
            yield LogSource(*where, part.retry_attempt, str(part.index), log.name, log.uri)


class LogStream:
    """One log, read from where it was left.

    :param tail: lines to begin with, counted from the end; None for all
    :ivar problem: why the last look has found nothing; empty if it has
    """

    def __init__(self, uri: str, tail: int | None = None) -> None:
        self._uri = uri
        self._tail = tail
        self._offset = 0
        self.problem = "" if uri.startswith(("http://", "https://")) else f"it is kept at {uri}"
        self._is_page = not self.problem

    def new(self) -> Iterator[bytes]:
        """Yield what has been written since the last look, in pieces."""
        if not self._is_page:
            return
        try:
            if self._tail is None:
                yield from self._read()
            else:
                yield from last_lines(self._read(), self._tail)
                self._tail = None
            self.problem = ""
        except urllib.error.HTTPError as error:
            self.problem = f"{self._uri}: HTTP {error.code}"
        except OSError as error:
            self.problem = f"{self._uri}: {getattr(error, 'reason', error)}"

    def _read(self) -> Iterator[bytes]:
        try:
            answer = open_url(self._uri, {"Range": f"bytes={self._offset}-"})
        except urllib.error.HTTPError as error:
            if error.code == 416:  # nothing beyond the offset
                return
            raise
        with answer:
            behind = 0 if answer.status == 206 else self._offset
            while piece := answer.read(PIECE):
                new = piece[behind:]
                behind = max(0, behind - len(piece))
                self._offset += len(new)
                yield new


def last_lines(pieces: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield the last lines of a text; no more than these are kept at a time."""
    kept: deque[bytes] = deque(maxlen=count)
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        kept.extend(line + b"\n" for line in whole)
    if rest:
        kept.append(rest)
    return itertools.chain(kept)
