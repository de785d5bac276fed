"""The last changes of the embedded cluster, for watches: in order, without gaps, bounded in number and bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from flyte_core.cluster import Kind, Manifest, WatchEvent
from flyte_core.errors import Conflict, SystemFault
from flyte_core.selectors import LabelTest


class Change(NamedTuple):
    """One durable change.

    :ivar before: labels before it; None for an object that is new
    :ivar size: bytes that are kept in memory for it alone
    """

    version: int
    kind: tuple[str, str]
    before: Mapping[str, str] | None
    after: Manifest
    removed: bool
    size: int


class History:
    """What watches read. Versions are consecutive.

    :param version: the last one given out before this history began
    :param longest: changes that a watch may lag behind before it must list again
    :param largest: bytes of them, likewise
    """

    def __init__(self, version: int, longest: int, largest: int) -> None:
        self.durable = version
        self._longest = longest
        self._largest = largest
        self._size = 0
        self._changes: deque[Change] = deque()
        self._watchers: set[asyncio.Event] = set()
        self._fault: SystemFault | None = None

    def publish(self, changes: Sequence[Change]) -> None:
        """Show durable changes to the watches."""
        for change in changes:
            self._changes.append(change)
            self._size += change.size
            self.durable = change.version
        while len(self._changes) > self._longest or (self._size > self._largest and len(self._changes) > 1):
            self._size -= self._changes.popleft().size
        self._wake()

    def end(self, fault: SystemFault) -> None:
        """Let every watch raise that fault after what it has yet to read."""
        self._fault = fault
        self._wake()

    async def watch(
        self, kind: Kind, namespace: str | None, matches: LabelTest, since: int
    ) -> AsyncIterator[WatchEvent]:
        """Yield the changes after a version.

        :raises flyte_core.errors.Conflict: if that version is too old
        :raises flyte_core.errors.SystemFault: if the cluster has ended
        """
        wake = asyncio.Event()
        self._watchers.add(wake)
        position = since
        try:
            while True:
                wake.clear()
                for change in self._after(position):
                    position = change.version
                    event = _event(change, kind, namespace, matches)
                    if event is not None:
                        yield event
                if position >= self.durable:
                    if self._fault is not None:
                        raise self._fault
                    await wake.wait()
        finally:
            self._watchers.discard(wake)

    def _after(self, version: int) -> Sequence[Change]:
        if version >= self.durable:
            return ()
        if not self._changes or self._changes[0].version > version + 1:
            raise Conflict(f"resourceVersion {version} is too old to watch from; list again")
        count = self.durable - version
        return [self._changes[-place] for place in range(count, 0, -1)]

    def _wake(self) -> None:
        for watcher in self._watchers:
            watcher.set()


def _event(change: Change, kind: Kind, namespace: str | None, matches: LabelTest) -> WatchEvent | None:
    metadata = change.after["metadata"]
    if change.kind != (kind.api_version, kind.kind) or namespace not in (None, metadata["namespace"]):
        return None
    before = change.before is not None and matches(change.before)
    after = not change.removed and matches(metadata.get("labels") or {})
    if after:
        return WatchEvent("MODIFIED" if before else "ADDED", change.after)
    return WatchEvent("DELETED", change.after) if before else None
