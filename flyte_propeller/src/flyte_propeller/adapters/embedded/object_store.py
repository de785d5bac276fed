"""The embedded cluster's objects: a Kubernetes API in miniature, in memory, durable through the journal.

Objects are shared, not copied: what a caller hands in or gets out is never changed in place by anybody. A change is
visible to the one who made it at once, and to watches and its awaiting caller when it is durable.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from flyte_core.cluster import Kind, Listing, Manifest, WatchEvent
from flyte_core.errors import AlreadyExists, Conflict, InvalidInput, NotFound, SystemFault, TooLarge, Unavailable
from flyte_core.selectors import compile_selector
from flyte_propeller.adapters.embedded.journal import Journal, ObjectKey, Write

HISTORY = 100_000
"""Changes that a watch may lag behind before it must list again."""
MAX_BYTES = 8 * 2**20
"""Size of one object; a real API server takes 1.5 MiB, and what is larger belongs in the object store there."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_ENDED = ("Succeeded", "Failed")


class Change(NamedTuple):
    """One durable change."""

    version: int
    kind: str
    before: Manifest | None
    after: Manifest
    removed: bool


class ObjectStore:
    """Implements :class:`flyte_core.cluster.Cluster` over one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._objects: dict[tuple[str, str], dict[ObjectKey, Manifest]] = {}
        self._dependents: dict[str, set[ObjectKey]] = {}
        self._version = self._journal.last_version()
        self._durable = self._version
        self._changes: deque[Change] = deque(maxlen=HISTORY)
        self._watchers: set[asyncio.Event] = set()
        self._broken: SystemFault | None = None
        for key, manifest in self._journal.load():
            self._remember(key, None, manifest)

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._broken = Unavailable("the cluster is stopped")
        self._journal.close()

    # -- the port

    async def create(self, manifest: Manifest) -> Manifest:
        """See the port."""
        key = _key(manifest)
        if key in self._of(key):
            raise AlreadyExists(f"{key.kind} {key.namespace}/{key.name} exists already")
        metadata = {
            **manifest["metadata"],
            "uid": str(uuid.uuid4()),
            "creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return await self._put(key, None, {**manifest, "metadata": metadata})

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See the port."""
        self._check_open()
        objects = self._objects.get((kind.api_version, kind.kind), {})
        return objects.get(ObjectKey(kind.api_version, kind.kind, namespace, name))

    async def replace(self, manifest: Manifest) -> Manifest:
        """See the port."""
        key = _key(manifest)
        stored = self._of(key).get(key)
        if stored is None:
            raise NotFound(f"{key.kind} {key.namespace}/{key.name} does not exist")
        old, new = stored["metadata"], manifest["metadata"]
        if new.get("resourceVersion") != old["resourceVersion"] or new.get("uid", old["uid"]) != old["uid"]:
            raise Conflict(f"{key.kind} {key.namespace}/{key.name} was changed since it was read")
        fixed = {name: old[name] for name in ("uid", "creationTimestamp", "deletionTimestamp") if name in old}
        changed = {**manifest, "metadata": {**new, **fixed}}
        if "deletionTimestamp" in old and not new.get("finalizers") and not _holds(changed):
            await self._remove(key, stored)
            return changed
        return await self._put(key, stored, changed)

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        """See the port. A pod that has not ended stays until the kubelet deletes it with ``grace_seconds=0``."""
        key = ObjectKey(kind.api_version, kind.kind, namespace, name)
        stored = self._of(key).get(key)
        if stored is None or (uid is not None and stored["metadata"]["uid"] != uid):
            return False
        metadata = stored["metadata"]
        if not metadata.get("finalizers") and (grace_seconds == 0 or not _holds(stored)):
            await self._remove(key, stored)
        elif "deletionTimestamp" not in metadata:
            grace = 30 if grace_seconds is None else grace_seconds
            marks = {
                "deletionTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "deletionGracePeriodSeconds": grace,
            }
            await self._put(key, stored, {**stored, "metadata": {**metadata, **marks}})
        return True

    async def list(self, kind: Kind, *, namespace: str | None = None, labels: str = "") -> Listing:
        """See the port."""
        self._check_open()
        matches = compile_selector(labels)
        items = tuple(
            manifest
            for key, manifest in sorted(self._objects.get((kind.api_version, kind.kind), {}).items())
            if namespace in (None, key.namespace) and matches(manifest["metadata"].get("labels") or {})
        )
        return Listing(items, str(self._durable))

    async def watch(
        self, kind: Kind, *, namespace: str | None = None, labels: str = "", since: str
    ) -> AsyncIterator[WatchEvent]:
        """See the port. An object that comes to match the selector is ADDED, one that ceases to is DELETED."""
        matches = compile_selector(labels)
        wake = asyncio.Event()
        self._watchers.add(wake)
        position = int(since)
        try:
            while True:
                wake.clear()
                for change in self._since(position):
                    position = change.version
                    if change.kind != kind.kind or namespace not in (None, change.after["metadata"]["namespace"]):
                        continue
                    before = change.before is not None and matches(change.before["metadata"].get("labels") or {})
                    after = not change.removed and matches(change.after["metadata"].get("labels") or {})
                    if after:
                        yield WatchEvent("MODIFIED" if before else "ADDED", change.after)
                    elif before:
                        yield WatchEvent("DELETED", change.after)
                await wake.wait()
        finally:
            self._watchers.discard(wake)

    # -- inside

    def _check_open(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _of(self, key: ObjectKey) -> dict[ObjectKey, Manifest]:
        self._check_open()
        return self._objects.setdefault((key.api_version, key.kind), {})

    def _since(self, version: int) -> Sequence[Change]:
        if version >= self._durable:
            return []
        if not self._changes or self._changes[0].version > version + 1:
            raise Conflict(f"resourceVersion {version} is too old to watch from; list again")
        first = self._changes[0].version
        return [self._changes[i] for i in range(version + 1 - first, len(self._changes))]

    async def _put(self, key: ObjectKey, before: Manifest | None, after: dict[str, Any]) -> Manifest:
        after["metadata"]["resourceVersion"] = str(self._version + 1)
        rest_changed = before is None or any(
            after.get(name) is not before.get(name) for name in {*after, *before} if name not in ("metadata", "status")
        )
        rest = {name: value for name, value in after.items() if name not in ("metadata", "status")}
        parts = (
            _dump(after["metadata"]),
            _dump(after["status"]) if after.get("status") is not None else None,
            _dump(rest) if rest_changed else None,
        )
        size = sum(len(part) for part in parts if part is not None)
        if size > MAX_BYTES:
            raise TooLarge(f"{key.kind} {key.namespace}/{key.name} is {size} bytes, the limit is {MAX_BYTES}")
        self._version += 1
        self._remember(key, before, after)
        await self._commit(key, parts, before, after, removed=False)
        return after

    async def _remove(self, key: ObjectKey, stored: Manifest) -> None:
        self._version += 1
        last = {**stored, "metadata": {**stored["metadata"], "resourceVersion": str(self._version)}}
        del self._of(key)[key]
        for owner in _owners(stored):
            self._dependents.get(owner, set()).discard(key)
        await self._commit(key, (None, None, None), stored, last, removed=True)
        for dependent in sorted(self._dependents.pop(stored["metadata"]["uid"], ())):
            kind = Kind(dependent.api_version, dependent.kind, "")
            await self.delete(kind, dependent.namespace, dependent.name)

    async def _commit(
        self,
        key: ObjectKey,
        parts: tuple[bytes | None, bytes | None, bytes | None],
        before: Manifest | None,
        after: Manifest,
        *,
        removed: bool,
    ) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        version = self._version
        change = Change(version, key.kind, before, after, removed)
        done.add_done_callback(lambda future: self._settle(future, change))
        self._journal.put(Write(key, version, *parts, done))
        await asyncio.shield(done)

    def _settle(self, done: asyncio.Future[None], change: Change) -> None:
        """Publish a durable change; a write that failed closes the store: memory is ahead of the file."""
        if done.cancelled() or done.exception() is not None:
            self._broken = self._broken or Unavailable(f"the cluster has stopped: {done.exception()}")
        else:
            self._changes.append(change)
            self._durable = change.version
        for wake in self._watchers:
            wake.set()

    def _remember(self, key: ObjectKey, before: Manifest | None, after: Manifest) -> None:
        self._objects.setdefault((key.api_version, key.kind), {})[key] = after
        if before is None or before["metadata"].get("ownerReferences") != after["metadata"].get("ownerReferences"):
            for owner in _owners(after):
                self._dependents.setdefault(owner, set()).add(key)


def _holds(manifest: Manifest) -> bool:
    """Tell whether processes may exist for this object: a pod that has not ended."""
    return bool(manifest["kind"] == "Pod" and (manifest.get("status") or {}).get("phase") not in _ENDED)


def _owners(manifest: Manifest) -> list[str]:
    return [owner["uid"] for owner in manifest["metadata"].get("ownerReferences") or ()]


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _key(manifest: Manifest) -> ObjectKey:
    metadata = manifest.get("metadata") or {}
    key = ObjectKey(
        manifest.get("apiVersion", ""),
        manifest.get("kind", ""),
        metadata.get("namespace", ""),
        metadata.get("name", ""),
    )
    missing = [name for name, value in zip(("apiVersion", "kind", "namespace", "name"), key, strict=True) if not value]
    if missing:
        raise InvalidInput(f"the manifest has no {', '.join(missing)}")
    if not _NAME.fullmatch(key.name):
        raise InvalidInput(f"{key.name!r} is no name for an object", field="metadata.name")
    return key
