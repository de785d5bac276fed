"""Port of a Kubernetes-like object store with compare-and-swap: what the planes need of a cluster.

Two adapters: a real API server, and the embedded cluster of ``flyte up``. Objects are plain JSON manifests, as
Kubernetes prints them. One test suite runs over both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

Manifest: TypeAlias = Mapping[str, Any]
"""A Kubernetes object as JSON: ``apiVersion``, ``kind``, ``metadata``, …; never changed in place by a receiver."""


class Kind(NamedTuple):
    """A resource kind: ``Kind("v1", "Pod", "pods")``."""

    api_version: str
    kind: str
    plural: str


POD = Kind("v1", "Pod", "pods")
FLYTE_WORKFLOW = Kind("flyte.lyft.com/v1alpha1", "FlyteWorkflow", "flyteworkflows")


@dataclass(frozen=True, slots=True)
class Listing:
    """A consistent list: its items, and the resourceVersion from which a watch goes on without a gap."""

    items: tuple[Manifest, ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change, with the object after it (for DELETED: the last one known)."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: Manifest


class Cluster(Protocol):
    """Objects of some kinds, by namespace and name.

    Every method raises :class:`flyte_core.errors.Unavailable` when the cluster does not answer. Label selectors are
    Kubernetes' strings (``a=b,c!=d,e in (f,g),!h``).
    """

    async def create(self, manifest: Manifest) -> Manifest:
        """Store a new object and return it with uid, resourceVersion and creationTimestamp.

        :raises flyte_core.errors.AlreadyExists: if kind, namespace and name are taken
        :raises flyte_core.errors.InvalidInput: if the cluster refuses the manifest
        """
        ...

    async def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Return the object as stored now, None if there is none."""
        ...

    async def replace(self, manifest: Manifest) -> Manifest:
        """Compare-and-swap on ``metadata.resourceVersion``; return the object as stored.

        Removing the last finalizer of an object that is being deleted deletes it.

        :raises flyte_core.errors.Conflict: if the stored resourceVersion differs
        :raises flyte_core.errors.NotFound: if there is no such object
        :raises flyte_core.errors.TooLarge: if the object is above the cluster's limit
        """
        ...

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        grace_seconds: int | None = None,
    ) -> bool:
        """Ask for the object's end and return True; False if there is none (or another uid has the name).

        An object with finalizers, or a running pod, stays with a ``deletionTimestamp`` until they are gone.
        """
        ...

    async def list(self, kind: Kind, *, namespace: str | None = None, labels: str = "") -> Listing:
        """Return all objects of the kind that match (all namespaces for None)."""
        ...

    def watch(
        self, kind: Kind, *, namespace: str | None = None, labels: str = "", since: str
    ) -> AsyncIterator[WatchEvent]:
        """Yield each change after ``since`` (a resourceVersion of :meth:`list`), in order, without end.

        :raises flyte_core.errors.Conflict: if ``since`` is too old to go on from (HTTP 410): list again
        """
        ...
