"""The embedded cluster's objects: a Kubernetes API in miniature, in memory, durable through the journal.

Objects are shared, not copied: what a caller hands in or gets out is never changed in place by anybody. A change is
visible to the one who made it at once, and to watches and its awaiting caller when it is durable. Every change of
memory happens between two awaits, with all that follows from it (dependents go with their owner), so that a caller
who is cancelled leaves nothing half done.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flyte_core.cluster import Kind, Listing, Manifest, WatchEvent
from flyte_core.errors import AlreadyExists, Conflict, InvalidInput, NotFound, SystemFault, TooLarge, Unavailable
from flyte_core.selectors import compile_selector
from flyte_propeller.adapters.embedded.history import Change, History
from flyte_propeller.adapters.embedded.journal import Journal, ObjectKey, Transaction, Write

LONGEST_HISTORY = 50_000
"""Changes that a watch may lag behind before it must list again."""
LARGEST_HISTORY = 64 * 2**20
"""Bytes of these changes."""
MAX_BYTES = 8 * 2**20
"""Size of one object; a real API server takes 1.5 MiB, and what is larger belongs in the object store there."""
GRACE_SECONDS = 30
"""How long a pod may take to end when its deletion says nothing (Kubernetes' default)."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_ENDED = ("Succeeded", "Failed")
_SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


class ObjectStore:
    """Implements :class:`flyte_core.cluster.Cluster` over one SQLite file."""

    def __init__(
        self, path: Path, *, longest_history: int = LONGEST_HISTORY, largest_history: int = LARGEST_HISTORY
    ) -> None:
        self._journal = Journal(path)
        self._objects: dict[tuple[str, str], dict[ObjectKey, Manifest]] = {}
        self._uids: set[str] = set()
        self._dependents: dict[str, set[ObjectKey]] = {}
        self._version = self._journal.last_version()
        self._history = History(self._version, longest_history, largest_history)
        self._broken: SystemFault | None = None
        self._writes: list[Write] = []
        self._changes: list[Change] = []
        for key, manifest in self._journal.load():
            self._remember(key, None, manifest)

    def close(self) -> None:
        """Write what is queued and close the file; what is asked from now on is Unavailable."""
        self._fail(Unavailable("the cluster is stopped"))
        self._journal.close()

    # -- the port

    async def create(self, manifest: Manifest) -> Manifest:
        """See the port. An object whose owners are all gone is deleted at once, as garbage collection would."""
        key = _key(manifest)
        if manifest["metadata"].get("resourceVersion"):
            raise InvalidInput("metadata.resourceVersion must not be set on an object to be created")
        if key in self._of(key):
            raise AlreadyExists(f"{key.kind} {key.namespace}/{key.name} exists already")
        metadata = {name: value for name, value in manifest["metadata"].items() if name not in _SERVER_OWNED}
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": _now()}
        created = self._put(key, None, {**manifest, "metadata": metadata})
        owners = _owners(created)
        if owners and self._uids.isdisjoint(owners):
            self._mark_deleted(key, created, None)
        await self._commit()
        return created

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See the port."""
        self._check_open()
        objects = self._objects.get((kind.api_version, kind.kind), {})
        return objects.get(ObjectKey(kind.api_version, kind.kind, namespace, name))

    async def replace(self, manifest: Manifest) -> Manifest:
        """See the port; writing what is stored changes nothing."""
        key = _key(manifest)
        stored = self._of(key).get(key)
        if stored is None:
            raise NotFound(f"{key.kind} {key.namespace}/{key.name} does not exist")
        old, new = stored["metadata"], manifest["metadata"]
        if not new.get("resourceVersion"):
            raise InvalidInput("metadata.resourceVersion must be set on an object to be replaced")
        if new["resourceVersion"] != old["resourceVersion"] or new.get("uid", old["uid"]) != old["uid"]:
            raise Conflict(f"{key.kind} {key.namespace}/{key.name} was changed since it was read")
        metadata = {name: value for name, value in new.items() if name not in _SERVER_OWNED}
        metadata |= {name: old[name] for name in _SERVER_OWNED if name in old}
        changed: dict[str, Any] = {**manifest, "metadata": metadata}
        if changed == stored:
            return stored
        if "deletionTimestamp" in metadata and not metadata.get("finalizers") and not _holds(changed):
            self._remove(key, stored, changed)
        else:
            self._put(key, stored, changed)
        await self._commit()
        return changed

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> bool:
        """See the port. A pod that has not ended stays until the kubelet deletes it with ``grace_seconds=0``."""
        key = ObjectKey(kind.api_version, kind.kind, namespace, name)
        stored = self._of(key).get(key)
        if stored is None or (uid is not None and stored["metadata"]["uid"] != uid):
            return False
        self._mark_deleted(key, stored, grace_seconds)
        await self._commit()
        return True

    async def list(self, kind: Kind, *, namespace: str | None = None, labels: str = "") -> Listing:
        """See the port; the order is that of namespace and name."""
        self._check_open()
        matches = compile_selector(labels)
        items = tuple(
            manifest
            for key, manifest in sorted(self._objects.get((kind.api_version, kind.kind), {}).items(), key=_first)
            if namespace in (None, key.namespace) and matches(manifest["metadata"].get("labels") or {})
        )
        return Listing(items, str(self._history.durable))

    def watch(
        self, kind: Kind, *, namespace: str | None = None, labels: str = "", since: str
    ) -> AsyncIterator[WatchEvent]:
        """See the port. An object that comes to match the selector is ADDED, one that ceases to is DELETED."""
        if not since.isdigit():
            raise InvalidInput(f"{since!r} is no resourceVersion to watch from", field="since")
        return self._history.watch(kind, namespace, compile_selector(labels), int(since))

    # -- beyond the port: the status subresource

    async def set_status(self, pod: Manifest, status: Mapping[str, Any]) -> None:
        """Write the status of a pod over whatever else has changed of it; nothing if it is gone or has ended."""
        key = _key(pod)
        stored = self._of(key).get(key)
        if stored is None or stored["metadata"]["uid"] != pod["metadata"]["uid"] or not _holds(stored):
            return
        changed = {**stored, "metadata": dict(stored["metadata"]), "status": status}
        self._put(key, stored, changed)
        await self._commit()

    # -- inside

    def _check_open(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _fail(self, fault: SystemFault) -> None:
        if self._broken is None:
            self._broken = fault
            self._history.end(fault)

    def _of(self, key: ObjectKey) -> dict[ObjectKey, Manifest]:
        self._check_open()
        return self._objects.setdefault((key.api_version, key.kind), {})

    def _mark_deleted(self, key: ObjectKey, stored: Manifest, grace_seconds: int | None) -> None:
        metadata = dict(stored["metadata"])
        grace = (GRACE_SECONDS if grace_seconds is None else grace_seconds) if _holds(stored) else 0
        metadata.setdefault("deletionTimestamp", _now())
        metadata["deletionGracePeriodSeconds"] = min(grace, metadata.get("deletionGracePeriodSeconds", grace))
        after = {**stored, "metadata": metadata}
        # Grace 0 is the kubelet's word that no process is left, or a forced end: then it ends them afterwards.
        if not metadata.get("finalizers") and (grace_seconds == 0 or not _holds(stored)):
            self._remove(key, stored, after)
        elif after != stored:
            self._put(key, stored, after)

    def _put(self, key: ObjectKey, before: Manifest | None, after: dict[str, Any]) -> Manifest:
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
        self._record(key, parts, before, after, size)
        return after

    def _remove(self, key: ObjectKey, stored: Manifest, after: dict[str, Any]) -> None:
        """Remove an object and those that have no other owner."""
        self._version += 1
        after["metadata"]["resourceVersion"] = str(self._version)
        uid = stored["metadata"]["uid"]
        del self._of(key)[key]
        self._uids.discard(uid)
        for owner in _owners(stored):
            self._dependents.get(owner, set()).discard(key)
        self._record(key, (None, None, None), stored, after, 0)
        for dependent in sorted(self._dependents.pop(uid, ())):
            manifest = self._of(dependent)[dependent]
            if self._uids.isdisjoint(_owners(manifest)):
                self._mark_deleted(dependent, manifest, None)

    def _remember(self, key: ObjectKey, before: Manifest | None, after: Manifest) -> None:
        self._objects.setdefault((key.api_version, key.kind), {})[key] = after
        self._uids.add(after["metadata"]["uid"])
        old, new = _owners(before) if before is not None else [], _owners(after)
        if old != new:
            for owner in old:
                self._dependents.get(owner, set()).discard(key)
            for owner in new:
                self._dependents.setdefault(owner, set()).add(key)

    def _record(
        self,
        key: ObjectKey,
        parts: tuple[bytes | None, bytes | None, bytes | None],
        before: Manifest | None,
        after: Manifest,
        size: int,
    ) -> None:
        labels = None if before is None else before["metadata"].get("labels") or {}
        self._writes.append(Write(key, self._version, *parts))
        self._changes.append(Change(self._version, (key.api_version, key.kind), labels, after, parts[0] is None, size))

    async def _commit(self) -> None:
        """Hand what was recorded since the last await to the journal, and wait until it is durable."""
        writes, changes = self._writes, self._changes
        if not writes:
            return
        self._writes, self._changes = [], []
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda future: self._settle(future, changes))
        # Pods need not outlive a power cut: their processes do not either.
        synced = any(write.key.kind != "Pod" for write in writes)
        self._journal.put(Transaction(writes, synced, done))
        await asyncio.shield(done)

    def _settle(self, done: asyncio.Future[None], changes: Sequence[Change]) -> None:
        """Publish durable changes; a write that failed closes the store: memory is ahead of the file."""
        error = done.exception()
        if error is None:
            self._history.publish(changes)
        else:
            self._fail(Unavailable(f"the cluster has stopped: {error}"))


def _holds(manifest: Manifest) -> bool:
    """Tell whether processes may exist for this object: a pod that has not ended."""
    return bool(manifest["kind"] == "Pod" and (manifest.get("status") or {}).get("phase") not in _ENDED)


def _owners(manifest: Manifest) -> list[str]:
    return [owner["uid"] for owner in manifest["metadata"].get("ownerReferences") or ()]


def _first(pair: tuple[ObjectKey, Manifest]) -> ObjectKey:
    return pair[0]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dump(value: Any) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the manifest is not JSON: {error}") from error


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
    for field, value in (("metadata.name", key.name), ("metadata.namespace", key.namespace)):
        if not _NAME.fullmatch(value):
            raise InvalidInput(f"{value[:256]!r} is no name for an object", field=field)
    return key
