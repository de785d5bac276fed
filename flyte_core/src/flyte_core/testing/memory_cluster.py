"""A cluster in memory that keeps the rules of a real API server, for tests and simulations."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flyte_core.clock import Clock, SystemClock
from flyte_core.cluster import Kind, Listing, Manifest, WatchEvent
from flyte_core.errors import AlreadyExists, Conflict, InvalidInput, NotFound, TooLarge
from flyte_core.selectors import LabelTest, compile_selector

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_DEFAULT_GRACE_SECONDS = 30


class _Key(NamedTuple):
    api_version: str
    kind: str
    namespace: str
    name: str


class _Change(NamedTuple):
    version: int
    key: _Key
    before: Manifest | None
    after: Manifest
    removed: bool


class MemoryCluster:
    """A :class:`flyte_core.cluster.Cluster` in this process.

    It has uid, resourceVersion, compare-and-swap, label selectors, finalizers, garbage collection by ownerReferences
    and watches without gaps. There is no kubelet: a pod whose ``status.phase`` is ``Running`` stays after
    :meth:`delete` with a deletionTimestamp until the test deletes it with ``grace_seconds=0``.

    Results are the stored objects themselves, not copies: receivers must not change them.

    :param max_bytes: size as JSON above which a write raises TooLarge; None for no limit
    :param history: changes kept for watches; a watch from before them gets Conflict
    """

    def __init__(self, *, clock: Clock | None = None, max_bytes: int | None = None, history: int = 100_000) -> None:
        self._clock = clock or SystemClock()
        self._max_bytes = max_bytes
        self._history = history
        self._objects: dict[tuple[str, str], dict[_Key, dict[str, Any]]] = defaultdict(dict)
        self._by_uid: dict[str, _Key] = {}
        self._dependents: dict[str, set[_Key]] = defaultdict(set)
        self._version = 0
        self._uids = 0
        self._changes: list[_Change] = []
        self._dropped = 0
        self._watchers: set[asyncio.Event] = set()

    async def create(self, manifest: Manifest) -> Manifest:
        """See :meth:`flyte_core.cluster.Cluster.create`."""
        stored = _checked_copy(manifest)
        metadata = stored["metadata"]
        if metadata.get("resourceVersion"):
            raise InvalidInput("metadata.resourceVersion must not be set on an object to be created")
        key = _key(stored)
        if key in self._of(key):
            raise AlreadyExists(f"{key.kind} {key.namespace}/{key.name} exists already")
        self._check_size(key, stored)
        for name in _SERVER_OWNED:
            metadata.pop(name, None)
        self._uids += 1
        metadata["uid"] = str(uuid.UUID(int=self._uids, version=4))
        metadata["creationTimestamp"] = _timestamp(self._clock.now())
        self._by_uid[metadata["uid"]] = key
        self._put(key, None, stored)
        return stored

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """See :meth:`flyte_core.cluster.Cluster.get`."""
        return self._objects[kind.api_version, kind.kind].get(_Key(kind.api_version, kind.kind, namespace, name))

    async def replace(self, manifest: Manifest) -> Manifest:
        """See :meth:`flyte_core.cluster.Cluster.replace`; writing what is stored changes nothing."""
        new = _checked_copy(manifest)
        key = _key(new)
        stored = self._of(key).get(key)
        if stored is None:
            raise NotFound(f"{key.kind} {key.namespace}/{key.name} does not exist")
        old_metadata, metadata = stored["metadata"], new["metadata"]
        if not metadata.get("resourceVersion"):
            raise InvalidInput("metadata.resourceVersion must be set on an object to be replaced")
        for name in ("resourceVersion", "uid"):
            if metadata.get(name, old_metadata["uid"]) != old_metadata[name]:
                raise Conflict(f"{key.kind} {key.namespace}/{key.name} has another {name} by now; read it again")
        for name in _SERVER_OWNED:
            metadata.pop(name, None)
            if name in old_metadata:
                metadata[name] = old_metadata[name]
        if new == stored:
            return stored
        self._check_size(key, new)
        if _is_over(metadata):
            self._remove(key, stored, new)
        else:
            self._put(key, stored, new)
        return new

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        grace_seconds: int | None = None,
    ) -> bool:
        """See :meth:`flyte_core.cluster.Cluster.delete`."""
        key = _Key(kind.api_version, kind.kind, namespace, name)
        stored = self._of(key).get(key)
        if stored is None or (uid is not None and stored["metadata"]["uid"] != uid):
            return False
        self._delete(key, stored, grace_seconds)
        return True

    async def list(self, kind: Kind, *, namespace: str | None = None, labels: str = "") -> Listing:
        """See :meth:`flyte_core.cluster.Cluster.list`; the order is that of namespace and name."""
        matches = compile_selector(labels)
        found = [
            (key, manifest)
            for key, manifest in self._objects[kind.api_version, kind.kind].items()
            if (namespace is None or key.namespace == namespace) and matches(_labels(manifest))
        ]
        found.sort(key=lambda pair: pair[0])
        return Listing(tuple(manifest for _, manifest in found), str(self._version))

    async def watch(
        self, kind: Kind, *, namespace: str | None = None, labels: str = "", since: str
    ) -> AsyncIterator[WatchEvent]:
        """See :meth:`flyte_core.cluster.Cluster.watch`.

        An object that comes to match the selector is ADDED, one that ceases to is DELETED.
        """
        matches = compile_selector(labels)
        wake = asyncio.Event()
        self._watchers.add(wake)
        try:
            # Each change has its own version, counted from 1, so that a version is also a place in the log.
            position = int(since)
            while True:
                wake.clear()
                while position < self._version:
                    change = self._change_after(position)
                    position = change.version
                    event = _event(change, kind, namespace, matches)
                    if event is not None:
                        yield event
                await wake.wait()
        finally:
            self._watchers.discard(wake)

    async def set_status(self, kind: Kind, namespace: str, name: str, status: Mapping[str, Any]) -> Manifest:
        """Replace the object's ``status`` whatever its resourceVersion: what a kubelet or an operator does.

        :raises NotFound: if there is no such object
        """
        stored = await self.get(kind, namespace, name)
        if stored is None:
            raise NotFound(f"{kind.kind} {namespace}/{name} does not exist")
        return await self.replace({**stored, "status": status})

    def collect_garbage(self) -> int:
        """Delete every object whose owners are all gone, and return how many.

        The dependents of an object go with it at once; this is for those that were created after its end.
        """
        orphans = [
            (key, manifest)
            for objects in self._objects.values()
            for key, manifest in objects.items()
            if (owners := _owners(manifest)) and not any(owner in self._by_uid for owner in owners)
        ]
        for key, manifest in orphans:
            self._delete(key, manifest, None)
        return len(orphans)

    def _of(self, key: _Key) -> dict[_Key, dict[str, Any]]:
        return self._objects[key.api_version, key.kind]

    def _check_size(self, key: _Key, manifest: Manifest) -> None:
        if self._max_bytes is None:
            return
        size = len(json.dumps(manifest, separators=(",", ":")).encode())
        if size > self._max_bytes:
            raise TooLarge(f"{key.kind} {key.namespace}/{key.name} has {size} bytes, the limit is {self._max_bytes}")

    def _put(self, key: _Key, before: Manifest | None, after: dict[str, Any]) -> None:
        self._relink(key, before, after)
        self._of(key)[key] = after
        self._record(key, before, after)

    def _relink(self, key: _Key, before: Manifest | None, after: Manifest | None) -> None:
        for owner in _owners(before) if before is not None else ():
            self._dependents[owner].discard(key)
        for owner in _owners(after) if after is not None else ():
            self._dependents[owner].add(key)

    def _delete(self, key: _Key, stored: dict[str, Any], grace_seconds: int | None) -> None:
        metadata = dict(stored["metadata"])
        running = key.kind == "Pod" and (stored.get("status") or {}).get("phase") == "Running"
        grace = (_DEFAULT_GRACE_SECONDS if grace_seconds is None else grace_seconds) if running else 0
        metadata.setdefault("deletionTimestamp", _timestamp(self._clock.now()))
        metadata["deletionGracePeriodSeconds"] = min(grace, metadata.get("deletionGracePeriodSeconds", grace))
        after = {**stored, "metadata": metadata}
        if _is_over(metadata):
            self._remove(key, stored, after)
        elif after != stored:
            self._put(key, stored, after)

    def _remove(self, key: _Key, before: dict[str, Any], last: dict[str, Any]) -> None:
        self._relink(key, before, None)
        del self._of(key)[key]
        uid = before["metadata"]["uid"]
        del self._by_uid[uid]
        self._record(key, before, last, removed=True)
        for dependent in sorted(self._dependents.pop(uid, ())):
            manifest = self._of(dependent)[dependent]
            if not any(owner in self._by_uid for owner in _owners(manifest)):
                self._delete(dependent, manifest, None)

    def _record(self, key: _Key, before: Manifest | None, after: dict[str, Any], *, removed: bool = False) -> None:
        self._version += 1
        after["metadata"] = {**after["metadata"], "resourceVersion": str(self._version)}
        self._changes.append(_Change(self._version, key, before, after, removed))
        if len(self._changes) > 2 * self._history:
            excess = len(self._changes) - self._history
            del self._changes[:excess]
            self._dropped += excess
        for watcher in self._watchers:
            watcher.set()

    def _change_after(self, version: int) -> _Change:
        if version < self._dropped:
            raise Conflict(f"resourceVersion {version} is too old to watch from; list again")
        return self._changes[version - self._dropped]


def _event(change: _Change, kind: Kind, namespace: str | None, matches: LabelTest) -> WatchEvent | None:
    key = change.key
    if (key.api_version, key.kind) != (kind.api_version, kind.kind) or namespace not in (None, key.namespace):
        return None
    was = change.before is not None and matches(_labels(change.before))
    now = not change.removed and matches(_labels(change.after))
    if now:
        return WatchEvent("MODIFIED" if was else "ADDED", change.after)
    return WatchEvent("DELETED", change.after) if was else None


def _checked_copy(manifest: Manifest) -> dict[str, Any]:
    """Return a copy that shares nothing with the argument, or say why a real API server would refuse it."""
    copied = _copy(manifest, "manifest")
    metadata = copied.get("metadata")
    if not copied.get("apiVersion") or not copied.get("kind") or not isinstance(metadata, dict):
        raise InvalidInput("a manifest needs apiVersion, kind and metadata")
    name = metadata.get("name", "")
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"metadata.name {name[:256]!r} is not a DNS name", field="metadata.name")
    for label, value in (metadata.get("labels") or {}).items():
        if not isinstance(value, str) or not _LABEL_VALUE.fullmatch(value):
            raise InvalidInput(f"label {label!r}: {value!r} is not a label value", field="metadata.labels")
    result: dict[str, Any] = copied
    return result


def _copy(value: Any, where: str) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: _copy(item, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item, where) for item in value]
    raise InvalidInput(f"{where}: {type(value).__name__} is not JSON")


def _key(manifest: Manifest) -> _Key:
    metadata = manifest["metadata"]
    return _Key(manifest["apiVersion"], manifest["kind"], metadata.get("namespace", "default"), metadata["name"])


def _labels(manifest: Manifest) -> Mapping[str, str]:
    return manifest["metadata"].get("labels") or {}


def _owners(manifest: Manifest) -> list[str]:
    return [owner["uid"] for owner in manifest["metadata"].get("ownerReferences") or ()]


def _is_over(metadata: Mapping[str, Any]) -> bool:
    return (
        "deletionTimestamp" in metadata
        and not metadata.get("finalizers")
        and not metadata.get("deletionGracePeriodSeconds")
    )


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
